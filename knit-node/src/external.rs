//! Memory shown to JavaScript as external `ArrayBuffer`s.
//!
//! Three kinds: windows on a pool's region, blocks of it that a program holds ([`Loan`]), and private memory that the binding and its JavaScript use
//! in turns ([`Words`]). In all cases the `ArrayBuffer` holds a reference to the memory, dropped by its finalizer, so nothing is unmapped under a live buffer
//! and the order in which the pool, its threads and the collector go away does not matter.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use knit_sched::Loan;
use knit_shm::{Area, Region};
use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, sys};

use crate::error::{Error, Result, napi_status};

/// Private memory of one thread, 8-byte aligned, written by its JavaScript and by Rust in turns: Rust touches it only inside a
/// native call, during which JavaScript stands still.
pub(crate) struct Words(Box<[UnsafeCell<u64>]>);

// SAFETY: JavaScript and Rust of one thread take turns; the finalizer, which may run on another thread, only frees.
unsafe impl Send for Words {}
// SAFETY: as above: no two threads ever access the contents.
unsafe impl Sync for Words {}

impl Words {
    /// At least so many zeroed bytes.
    pub(crate) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self(
            (0..bytes.div_ceil(8).max(1))
                .map(|_| UnsafeCell::new(0))
                .collect(),
        ))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len() * 8
    }

    fn as_ptr(&self) -> *mut u8 {
        UnsafeCell::raw_get(self.0.as_ptr()).cast()
    }

    /// The first `len` bytes; fewer if there are fewer.
    ///
    /// # Safety
    /// The caller is in a native call on the thread whose JavaScript writes this memory, and lets go of the slice before it returns.
    pub(crate) unsafe fn bytes(&self, len: usize) -> &[u8] {
        // SAFETY: in bounds by `min`, initialised, and nobody writes meanwhile, as the caller promises.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), len.min(self.len())) }
    }

    /// All of it as 32-bit words.
    ///
    /// # Safety
    /// As [`Words::bytes`], and no other slice of this memory exists.
    #[expect(
        clippy::mut_from_ref,
        reason = "the contents are in cells; the caller promises that no other slice exists"
    )]
    pub(crate) unsafe fn words(&self) -> &mut [u32] {
        // SAFETY: in bounds, aligned to 8, initialised; exclusive as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr().cast(), self.len() / 4) }
    }

    /// All of it as 64-bit floating-point numbers.
    ///
    /// # Safety
    /// As [`Words::words`].
    #[expect(clippy::mut_from_ref, reason = "as for `words`")]
    pub(crate) unsafe fn numbers(&self) -> &mut [f64] {
        // SAFETY: in bounds, aligned to 8, and every pattern is a number; exclusive as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr().cast(), self.len() / 8) }
    }

    /// Copies what fits of `other` into this.
    ///
    /// # Safety
    /// As [`Words::bytes`], for both.
    pub(crate) unsafe fn copy_from(&self, other: &Self) {
        let len = self.len().min(other.len());
        // SAFETY: both have `len` bytes, and two different allocations do not overlap.
        unsafe { ptr::copy_nonoverlapping(other.as_ptr(), self.as_ptr(), len) };
    }
}

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
unsafe fn show<T: Send>(env: &Env, data: *mut u8, len: usize, keep: T) -> Result<Unknown<'static>> {
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
