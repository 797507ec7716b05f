//! What a host can tell about its pool and its workers.

use crate::abi::KNIT_NONE;
use crate::error::{count, put};
use crate::host::with;
use crate::memory::not_null;

/// Brings the figures (`KNIT_MEMORY_FIGURES`) up to date: a row of `KNIT_FIGURES` for the pool, then one for each worker.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_measure(host: u32) -> i32 {
    with(host, |entry| {
        entry.measured(|port, figures| port.measure(figures))?;
        Ok(0)
    })
}

/// Milliseconds since a worker claimed what it runs now; that call's number and generation are in the control block, as for `knit_host_expire`.
/// `KNIT_NONE` if it runs nothing.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_running(host: u32, worker: u32) -> i32 {
    with(host, |entry| {
        let running = entry.controlled(|port, control| port.running(worker as usize, control))?;
        Ok(running.map_or(KNIT_NONE, |microseconds| {
            i32::try_from(microseconds / 1000).map_or(KNIT_NONE - 1, |ms| ms.min(KNIT_NONE - 1))
        }))
    })
}

/// Says how many turns a worker has taken, wrapping. One that takes none after `knit_host_nudge` is kept from it by what it runs.
///
/// # Safety
/// `turns` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_turns(host: u32, worker: u32, turns: *mut u32) -> i32 {
    with(host, |entry| {
        not_null(turns)?;
        let taken = entry.port.host.turns(worker as usize)?;
        // SAFETY: as the caller promises.
        unsafe { put(turns, taken) }.map(|()| 0)
    })
}

/// Wakes a worker if it sleeps, so that it takes a turn.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_nudge(host: u32, worker: u32) -> i32 {
    with(host, |entry| {
        entry.port.host.nudge(worker as usize)?;
        Ok(0)
    })
}

/// Where a place stands: 0 empty, 1 open for a worker, 2 being taken, 3 served, 4 its worker has died.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_state(host: u32, worker: u32) -> i32 {
    with(host, |entry| {
        let state = entry.port.host.state(worker as usize)?;
        Ok(count(state as usize))
    })
}
