//! Memory that crosses between a host and its worker processes, beside messages: see `knit_sched::port`. Handles are those of `knit_shared_create` and its like,
//! numbers are for messages; 0 stands for what is gone.

use knit_sched::port::{self, shared};

use crate::error::{guard, put};
use crate::host::with;
use crate::memory::not_null;

/// Passes memory to every worker process, and to those that start from now on; `*number` is for a message that is submitted afterwards. It counts: each time
/// must be taken back by `knit_host_unshare`, when the call is settled.
///
/// # Safety
/// `number` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_share(host: u32, handle: u32, number: *mut u32) -> i32 {
    with(host, |entry| {
        not_null(number)?;
        let region = shared::region(handle)?;
        let shared = entry.port.share(&region);
        // SAFETY: as the caller promises.
        unsafe { put(number, shared) }.map(|()| 0)
    })
}

/// Takes a number back: one message less names it.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_unshare(host: u32, number: u32) -> i32 {
    with(host, |entry| {
        entry.port.unshare(number);
        Ok(0)
    })
}

/// Takes the memory that an answer of a worker process names, once; `*handle` is 0 if that has not passed it. Errors: the worker can pass none, has passed
/// something else, or there is no descriptor left.
///
/// # Safety
/// `handle` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_take_shared(
    host: u32,
    worker: u32,
    number: u32,
    handle: *mut u32,
) -> i32 {
    with(host, |entry| {
        not_null(handle)?;
        let taken = entry.port.take_shared(worker as usize, number)?;
        let taken = taken.map_or(Ok(0), shared::adopt)?;
        // SAFETY: as the caller promises.
        unsafe { put(handle, taken) }.map(|()| 0)
    })
}

/// In a worker process: passes memory to the host; `*number` is for an answer that is published afterwards. Errors: what has started the process closes
/// descriptors, or the host does not read.
///
/// # Safety
/// `number` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_process_share(handle: u32, number: *mut u32) -> i32 {
    guard(|| {
        not_null(number)?;
        let region = shared::region(handle)?;
        let shared = port::process_share(&region)?;
        // SAFETY: as the caller promises.
        unsafe { put(number, shared) }.map(|()| 0)
    })
}

/// In a worker process: takes a number back that no answer names.
#[unsafe(no_mangle)]
pub extern "C" fn knit_process_unshare(number: u32) -> i32 {
    guard(|| {
        port::process_unshare(number)?;
        Ok(0)
    })
}

/// In a worker process: takes the memory that a call names; `*handle` is 0 if the call was given up. Errors: as `knit_host_take_shared`.
///
/// # Safety
/// `handle` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_process_take_shared(number: u32, handle: *mut u32) -> i32 {
    guard(|| {
        not_null(handle)?;
        let taken = port::process_take_shared(number)?;
        let taken = taken.map_or(Ok(0), shared::adopt)?;
        // SAFETY: as the caller promises.
        unsafe { put(handle, taken) }.map(|()| 0)
    })
}
