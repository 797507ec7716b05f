//! Permissions: plans made and carried out. See the crate `knit-perm`, whose modules `json` and `border` describe the texts.

use std::ffi::c_char;

use knit_perm::border::{self, Sandbox};
use knit_perm::json;
use knit_sched::port;

use crate::error::{bytes, guard, write_text};
use crate::host::with;
use crate::process::text;

/// Answers a request.
///
/// # Safety
/// `request` has `request_len` bytes. `buffer` is null, or has room for `len` bytes.
unsafe fn answer(
    to: fn(&str) -> String,
    request: *const u8,
    request_len: usize,
    buffer: *mut c_char,
    len: usize,
) -> i32 {
    guard(|| {
        // SAFETY: as the caller promises.
        let answer = to(text(unsafe { bytes(request, request_len) }?)?);
        // SAFETY: as the caller promises.
        Ok(unsafe { write_text(&answer, buffer, len) })
    })
}

/// Makes a plan for workers. `request` is JSON, `{ "policy", "target", "env" }`; the answer, which is written to `buffer` with a NUL behind, is
/// `{ "plan", "caveats" }` or `{ "error" }`. Returns its bytes without the NUL: if that is `len` or more it was cut, and the caller asks again with more
/// room.
///
/// May be called on any thread. Errors: no UTF-8.
///
/// # Safety
/// `request` has `request_len` bytes. `buffer` is null, or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_permission_plan(
    request: *const u8,
    request_len: usize,
    buffer: *mut c_char,
    len: usize,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { answer(json::plan, request, request_len, buffer, len) }
}

/// Says whether a failure in a worker is the policy's doing. `request` is JSON, `{ "plan", "failure" }`; the answer is `{ "denial" }`, null in it if it is
/// not, or `{ "error" }`. It is given as `knit_permission_plan` does.
///
/// # Safety
/// `request` has `request_len` bytes. `buffer` is null, or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_permission_denial(
    request: *const u8,
    request_len: usize,
    buffer: *mut c_char,
    len: usize,
) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { answer(json::denial, request, request_len, buffer, len) }
}

/// Puts the sandbox of a plan (the JSON of `plan` in an answer of `knit_permission_plan`, for processes) on every process that this host starts from now
/// on. Errors: no such plan, or the kernel lacks what it needs.
///
/// # Safety
/// `plan` has `plan_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_sandbox(host: u32, plan: *const u8, plan_len: usize) -> i32 {
    with(host, |entry| {
        // SAFETY: as the caller promises.
        let sandbox = Sandbox::new(text(unsafe { bytes(plan, plan_len) }?)?)?;
        entry.port.quiet = sandbox.quiet;
        entry.sandbox = Some(sandbox);
        Ok(0)
    })
}

/// Restricts the calling thread, and those that it makes later, as a plan for threads says. It cannot be taken back. Returns 1, or 0 if the plan has nothing
/// for the kernel. After an error the thread may be half restricted, and must not go on.
///
/// # Safety
/// `plan` has `plan_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_thread_restrict(plan: *const u8, plan_len: usize) -> i32 {
    guard(|| {
        // SAFETY: as the caller promises.
        let plan = text(unsafe { bytes(plan, plan_len) }?)?;
        Ok(i32::from(border::restrict(plan)?))
    })
}

/// Becomes another program, in the sandbox of a plan for processes with `inPlace`: for a starter behind a container or another wrapper. `words` is the program and
/// its arguments, `without` the variables that it does not get, each ended by NUL. It has this program's standard streams, folder and
/// environment, and what a pool's host has given to this one.
///
/// Returns only by an error, after which this process may be half restricted and must end.
///
/// # Safety
/// `plan`, `words` and `without` have so many bytes; the last may be null with 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_process_become(
    plan: *const u8,
    plan_len: usize,
    words: *const u8,
    words_len: usize,
    without: *const u8,
    without_len: usize,
) -> i32 {
    guard(|| {
        // SAFETY: as the caller promises.
        let plan = text(unsafe { bytes(plan, plan_len) }?)?;
        // SAFETY: as the caller promises.
        let words = text(unsafe { bytes(words, words_len) }?)?;
        // SAFETY: as the caller promises.
        let without = text(unsafe { bytes(without, without_len) }?)?;
        let words: Vec<&str> = words.split_terminator('\0').collect();
        let without: Vec<&str> = without.split_terminator('\0').collect();
        let keep: Vec<_> = port::process_hand_on()?.into_iter().collect();
        Err(border::become_program(plan, &words, &without, &keep).into())
    })
}
