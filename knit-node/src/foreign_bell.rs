//! Bells of this binding for another library of the same process: a function pointer and a context, as the C interface takes them
//! (`knit_host_bell`, `knit_worker_bell`, `knit_watch_bell`).
//!
//! Runtimes that call the engine through C reach their event loops best through N-API. The context is a number, not an address: a ring for a bell
//! that is closed, or whose environment is gone, finds nothing.

use std::ffi::c_void;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use knit_sched::Bell;
use knit_sched::port::Table;
use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::bell::LoopBell;
use crate::error::{Result, unknown};

/// All threads' bells, since any thread rings.
static BELLS: Mutex<Table<Arc<LoopBell>>> = Mutex::new(Table::new());

fn bells() -> MutexGuard<'static, Table<Arc<LoopBell>>> {
    BELLS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A clone, so that nothing is locked while it rings.
fn find(number: u32) -> Option<Arc<LoopBell>> {
    bells().get(number).cloned()
}

/// Makes a bell that calls `callback` on this thread's event loop, and returns its number. It does not keep the loop alive unless asked to.
#[napi(ts_args_type = "callback: () => void")]
pub fn bell_create(env: Env, callback: Unknown<'_>) -> Result<u32> {
    let bell = LoopBell::new(&env, &callback)?;
    let mut bells = bells();
    // Those whose threads have ended without closing them.
    bells.retain(|bell| !bell.is_gone());
    Ok(bells.insert(bell))
}

/// The address of the function that rings; its context is the bell's number.
#[napi]
pub fn bell_ring() -> f64 {
    // Addresses of programs have 47 bits, or 56: they are whole in a number up to 2^53, which the check makes sure of.
    let address = ring as *const () as usize as u64;
    debug_assert!(address < 1 << 53);
    address as f64
}

/// # Safety
/// May be called from any thread at any time.
unsafe extern "C" fn ring(context: *mut c_void) {
    let Ok(number) = u32::try_from(context.addr()) else {
        return;
    };
    if let Some(bell) = find(number) {
        bell.ring();
    }
}

/// Whether the bell alone keeps this thread's event loop from ending.
#[napi]
pub fn bell_keep_alive(env: Env, bell: u32, alive: bool) -> Result<()> {
    let found = find(bell).ok_or_else(|| unknown("bell", bell))?;
    found.keep_loop_alive(&env, alive)
}

/// Takes the bell off: it never rings again.
#[napi]
pub fn bell_close(bell: u32) {
    let found = bells().remove(bell);
    if let Some(found) = found {
        found.close();
    }
}
