//! Memory shown to JavaScript as external `ArrayBuffer`s.
//!
//! Three kinds: windows on a pool's region, blocks of it that a program holds ([`Loan`]), and private memory that the binding and its JavaScript use
//! in turns ([`Words`]). In all cases the `ArrayBuffer` holds a reference to the memory, dropped by its finalizer, so nothing is unmapped under a live buffer
//! and the order in which the pool, its threads and the collector go away does not matter.
//!
//! Runtimes call finalizers when they like, turns of the event loop after the buffer is gone. So a host's windows on its pool can be [hidden](memory_hide): whoever ends the
//! pool has its memory back at once.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use knit_sched::Loan;
use knit_shm::{Area, Region, Words};
use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, JsValue, sys};
use napi_derive::napi;

use crate::error::{Error, Result, napi_status};

/// Shows private memory.
pub(crate) fn show_words(env: &Env, words: &Arc<Words>) -> Result<Unknown<'static>> {
    // SAFETY: the pointer and length are those of the allocation that `words` keeps.
    unsafe { show(env, words.as_ptr(), words.len(), words.clone()) }
}

/// Shows a part of a region.
pub(crate) fn show_region(
    env: &Env,
    region: &Region,
    offset: usize,
    len: usize,
) -> Result<Unknown<'static>> {
    let area = area(region, offset, len)?;
    // SAFETY: the area lies in the mapping, which it keeps alive.
    unsafe { show(env, area.as_ptr(), area.len(), area) }
}

fn area(region: &Region, offset: usize, len: usize) -> Result<Area> {
    region
        .area(offset, len)
        .map_err(|error| Error::new(error.code(), error.to_string()))
}

/// The same, to be hidden by [`memory_hide`].
pub(crate) fn show_window(
    env: &Env,
    region: &Region,
    offset: usize,
    len: usize,
) -> Result<Unknown<'static>> {
    let area = area(region, offset, len)?;
    let (data, len) = (area.as_ptr(), area.len());
    let window: Window = Arc::new(Mutex::new(Some(area)));
    let shown = (data.addr(), Arc::downgrade(&window));
    // SAFETY: the area lies in the mapping, which it keeps alive until the buffer is collected, or detached by `memory_hide`.
    let value = unsafe { show(env, data, len, window) }?;
    SHOWN.with_borrow_mut(|all| {
        all.retain(|(_, window)| window.strong_count() > 0);
        all.push(shown);
    });
    Ok(value)
}

/// What the buffer of a window holds on to; none once it is hidden.
type Window = Arc<Mutex<Option<Area>>>;

/// Its address, and it as long as the buffer has not been collected.
type Shown = (usize, Weak<Mutex<Option<Area>>>);

thread_local! {
    /// Windows of this thread by their addresses. As many have an address as there are buffers that begin there, and each keeps the whole region: so whichever is taken
    /// for a buffer that is hidden, the others have theirs.
    static SHOWN: RefCell<Vec<Shown>> = const { RefCell::new(Vec::new()) };
}

/// Takes back a window on a pool that was shown to this thread: the buffer is detached, and what it held on to is dropped now.
#[napi(ts_args_type = "buffer: ArrayBuffer")]
pub fn memory_hide(env: Env, buffer: Unknown<'_>) -> Result<()> {
    let (mut data, mut len) = (ptr::null_mut(), 0);
    // SAFETY: the value is of this environment; it is checked to be a buffer.
    let status =
        unsafe { sys::napi_get_arraybuffer_info(env.raw(), buffer.raw(), &mut data, &mut len) };
    if status != sys::Status::napi_ok {
        return Err(napi_status("napi_get_arraybuffer_info", status));
    }
    // SAFETY: as above.
    let status = unsafe { sys::napi_detach_arraybuffer(env.raw(), buffer.raw()) };
    if status != sys::Status::napi_ok {
        return Err(napi_status("napi_detach_arraybuffer", status));
    }
    let window = SHOWN.with_borrow_mut(|all| {
        let at = all
            .iter()
            .position(|(address, _)| *address == data.addr())?;
        all.swap_remove(at).1.upgrade()
    });
    // From the detached buffer nothing can be read any more.
    drop(window.and_then(|window| window.lock().unwrap_or_else(PoisonError::into_inner).take()));
    Ok(())
}

/// Shows the first `len` bytes of a block, at most all.
pub(crate) fn show_loan(env: &Env, loan: Loan, len: usize) -> Result<Unknown<'static>> {
    let block = loan.block();
    let len = len.min(block.len);
    let area = area(loan.region(), block.offset, len)?;
    // SAFETY: the block lies in the mapping, which the loan keeps alive; nobody else is given it until the loan is dropped.
    unsafe { show(env, area.as_ptr(), len, loan) }
}

/// # Safety
/// `data` has `len` bytes for as long as `keep` lives.
pub(crate) unsafe fn show<T: Send>(
    env: &Env,
    data: *mut u8,
    len: usize,
    keep: T,
) -> Result<Unknown<'static>> {
    let hint = Box::into_raw(Box::new(keep));
    let mut value = ptr::null_mut();
    // SAFETY: `env` is the calling thread's; `finalize` takes the hint back exactly once, if the call succeeds.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env.raw(),
            data.cast(),
            len,
            Some(finalize::<T>),
            hint.cast(),
            &mut value,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: the call failed, so nobody else has the hint.
        drop(unsafe { Box::from_raw(hint) });
        return Err(if status == sys::Status::napi_no_external_buffers_allowed {
            Error::new(
                "KNT_NO_EXTERNAL_BUFFERS",
                "this runtime does not let native code show its memory to JavaScript (Electron and V8 sandbox builds do not)",
            )
        } else {
            napi_status("napi_create_external_arraybuffer", status)
        });
    }
    // SAFETY: the value was just made in this environment.
    unsafe { Unknown::from_napi_value(env.raw(), value) }
        .map_err(|error| Error::new("KNT_NAPI", error.reason.clone()))
}

/// # Safety
/// Called by the runtime with the hint that `show` gave, once.
unsafe extern "C" fn finalize<T>(_: sys::napi_env, _: *mut c_void, hint: *mut c_void) {
    // SAFETY: the hint is the box that `show` leaked.
    drop(unsafe { Box::from_raw(hint.cast::<T>()) });
}
