//! Memory shown to JavaScript as external `ArrayBuffer`s.
//!
//! Three kinds: windows on a pool's region, blocks of it that a program holds ([`Loan`]), and private memory that the binding and its JavaScript use
//! in turns ([`Words`]). In all cases the `ArrayBuffer` holds a reference to the memory, dropped by its finalizer, so nothing is unmapped under a live buffer
//! and the order in which the pool, its threads and the collector go away does not matter.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use knit_sched::Loan;
use knit_shm::{Area, Region, Words};
use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, sys};

use crate::error::{Error, Result, napi_status};

/// Shows private memory.
pub(crate) fn show_words(env: &Env, words: &Arc<Words>) -> Result<Unknown<'static>> {
    // SAFETY: the pointer and length are those of the allocation that `words` keeps.
    unsafe { show(env, words.as_ptr(), words.len(), words.clone()) }
}

/// Shows a window of a region.
pub(crate) fn show_region(
    env: &Env,
    region: &Region,
    offset: usize,
    len: usize,
) -> Result<Unknown<'static>> {
    let area: Area = region
        .area(offset, len)
        .map_err(|error| Error::new(error.code(), error.to_string()))?;
    // SAFETY: the area lies in the mapping, which it keeps alive.
    unsafe { show(env, area.as_ptr(), area.len(), area) }
}

/// Shows the first `len` bytes of a block, at most all.
pub(crate) fn show_loan(env: &Env, loan: Loan, len: usize) -> Result<Unknown<'static>> {
    let block = loan.block();
    let len = len.min(block.len);
    let area = loan
        .region()
        .area(block.offset, len)
        .map_err(|error| Error::new(error.code(), error.to_string()))?;
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
