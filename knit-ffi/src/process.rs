//! Worker processes: started and watched by their host, joined from within. See `knit_sched::process`. Linux; elsewhere each function is an
//! error that says so.

use std::ffi::c_char;

use knit_sched::port;

use crate::abi::Place;
use crate::error::{argument, bytes, count, guard, put, write_text};
use crate::host::with;
use crate::memory::not_null;

/// Finds the pool and the place that this process was started for, without taking it: `*place` is for `knit_worker_attach`.
///
/// To be called once: standard input is `/dev/null` afterwards. From then on the process is killed when its host is gone. Errors: standard
/// input is nothing that a host made and the last argument names no place to get it, the host is gone, the process has joined already.
///
/// # Safety
/// `place` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_process_join(place: *mut Place) -> i32 {
    guard(|| {
        not_null(place)?;
        let joined = port::join_process()?;
        let found = Place {
            token: joined.token,
            index: joined.index,
            epoch: joined.epoch,
            steal: u32::from(joined.steal),
        };
        // SAFETY: as the caller promises.
        unsafe { put(place, found) }.map(|()| 0)
    })
}

/// Writes what the host's binding tells this process to `buffer`, if it has room for all of it. Returns its bytes.
///
/// # Safety
/// `buffer` is null, or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_process_boot(buffer: *mut u8, len: usize) -> i32 {
    guard(|| {
        let data = port::process_boot()?;
        if !buffer.is_null() && data.len() <= len {
            // SAFETY: the caller has room for `len` bytes, and what is ours does not overlap it.
            unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), buffer, data.len()) };
        }
        Ok(count(data.len()))
    })
}

/// Tells the workers that are started from now on: the functions' names by number, each ended by NUL, and what their binding must know.
///
/// # Safety
/// `names` and `data` are null with a length of 0, or have so many bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_boot(
    host: u32,
    names: *const u8,
    names_len: usize,
    data: *const u8,
    data_len: usize,
) -> i32 {
    with(host, |entry| {
        // SAFETY: as the caller promises.
        let names = text(unsafe { bytes(names, names_len) }?)?;
        // SAFETY: as the caller promises.
        let data = unsafe { bytes(data, data_len) }?;
        let functions = names.split_terminator('\0').map(str::to_owned).collect();
        entry.port.set_boot(functions, data.to_vec())?;
        Ok(0)
    })
}

/// Starts a process for a place that was opened. `*pid` becomes its id, which is that of a wrapper if there is one.
///
/// `order` is the command: words that end with NUL, whose first letter says what they are. `A`: the program, then its arguments. `E`: a variable of its
/// environment, `name=value`; it has no others. `D`: the directory it starts in. `N`: it can inherit nothing; it gets one argument more, `--knit-worker=` and a name
/// that begins with this word, at which `knit_process_join` finds the pool. The host's bell must have been set: it is rung when a process has
/// ended. Errors: no such command, or the system refuses.
///
/// # Safety
/// `order` has `order_len` bytes. `pid` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_spawn(
    host: u32,
    worker: u32,
    order: *const u8,
    order_len: usize,
    pid: *mut u32,
) -> i32 {
    with(host, |entry| {
        not_null(pid)?;
        // SAFETY: as the caller promises.
        let order = text(unsafe { bytes(order, order_len) }?)?;
        let sandbox = entry.sandbox.as_ref();
        let prepare = |command: &mut std::process::Command| {
            sandbox.inspect(|sandbox| sandbox.put_on(command));
            Ok(())
        };
        let started = entry.port.spawn(worker as usize, order, prepare)?;
        // SAFETY: as the caller promises.
        unsafe { put(pid, started) }.map(|()| 0)
    })
}

/// Bytes of the caller as a text.
pub(crate) fn text(bytes: &[u8]) -> crate::error::Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| argument("a text", "UTF-8"))
}

/// Takes the next process that has ended: place, exit code (empty if a signal ended it), signal (empty if none did), the last lines of its standard error;
/// separated by NUL, in UTF-8, with a NUL behind. Returns the bytes without that one; 0 if no process has ended.
///
/// If that is `len` or more there was no room: nothing is taken, and the next call tells the same.
///
/// # Safety
/// `buffer` is null, or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_take_exit(host: u32, buffer: *mut c_char, len: usize) -> i32 {
    with(host, |entry| {
        let Some(exit) = entry.exit.take().or_else(|| entry.port.take_exit()) else {
            return Ok(0);
        };
        // SAFETY: as the caller promises.
        let bytes = unsafe { write_text(&exit, buffer, len) };
        if buffer.is_null() || exit.len() >= len {
            entry.exit = Some(exit);
        }
        Ok(bytes)
    })
}

/// Sends a signal to the process in a place, and to what it has started in its group. Nothing if there is none. Errors: there is no such signal.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_kill(host: u32, worker: u32, signal: i32) -> i32 {
    with(host, |entry| {
        entry.port.kill(worker as usize, signal)?;
        Ok(0)
    })
}
