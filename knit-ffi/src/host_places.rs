//! The lives of workers, as their host sees them: opening a place, asking to end, settling a death. Who starts threads or processes learns
//! of their ends, and says so here.

use crate::error::{count, put};
use crate::host::with;
use crate::memory::not_null;

/// Opens a place for a worker: `*epoch` is what the worker needs to take it. Errors: there is no such place, or it is in use.
///
/// # Safety
/// `epoch` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_begin(host: u32, worker: u32, epoch: *mut u32) -> i32 {
    with(host, |entry| {
        not_null(epoch)?;
        let begun = entry.port.host.begin(worker as usize)?;
        // SAFETY: as the caller promises.
        unsafe { put(epoch, begun) }.map(|()| 0)
    })
}

/// Asks a worker to end, and wakes it. It ends when it has run what it took.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_stop(host: u32, worker: u32) -> i32 {
    with(host, |entry| {
        entry.port.host.stop(worker as usize)?;
        Ok(0)
    })
}

/// Wakes every worker that sleeps: there is something for it beside the rings.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_rouse(host: u32) -> i32 {
    with(host, |entry| {
        entry.port.host.rouse();
        Ok(0)
    })
}

/// Settles a worker's death. It must really have ended, and its replies must have been read until there were none: they are dropped here.
///
/// Returns how many calls it had taken; `knit_host_retired` names them. Some of them may have been answered.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_retire(host: u32, worker: u32) -> i32 {
    with(host, |entry| {
        let mut calls = entry.port.retire(worker as usize)?;
        let taken = calls.len();
        entry.retired.append(&mut calls);
        Ok(count(taken))
    })
}

/// Writes numbers of calls that dead workers had taken to `calls`, at most `capacity`, each once. Returns how many: 0 if there are no more.
///
/// # Safety
/// `calls` is null and `capacity` 0, or it has room for `capacity` words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_retired(host: u32, calls: *mut u32, capacity: usize) -> i32 {
    with(host, |entry| {
        let told = entry.retired.len().min(capacity);
        if told > 0 {
            not_null(calls)?;
        }
        for (n, call) in entry.retired.drain(..told).enumerate() {
            // SAFETY: `n` is below `capacity`.
            let place = unsafe { calls.add(n) };
            // SAFETY: as the caller promises.
            unsafe { put(place, call) }?;
        }
        Ok(count(told))
    })
}

/// Gives the calls that wait in a dead worker's lane to others, for one that is not replaced.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_evacuate(host: u32, worker: u32) -> i32 {
    with(host, |entry| {
        entry.port.host.evacuate(worker as usize)?;
        Ok(0)
    })
}
