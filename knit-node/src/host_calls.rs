//! The host's power over calls: abort slots, deadlines, removal from the queue.

use std::time::Duration;

use knit_sched::AbortSlot;
use napi_derive::napi;

use crate::error::{Result, sched};
use crate::host::with;

/// Takes an abort slot for a call; its ticket is what its word says then. -1 if all are in use.
#[napi]
pub fn host_take_abort(handle: u32) -> Result<i32> {
    with(handle, |entry| {
        let slot = entry.port.host.take_abort_slot();
        Ok(slot.map_or(-1, |taken| taken.slot as i32))
    })
}

/// Aborts the call that has this slot and wakes the workers that watch. False if no call has it under that ticket any more.
#[napi]
pub fn host_abort(handle: u32, slot: u32, ticket: u32) -> Result<bool> {
    with(handle, |entry| {
        Ok(entry.port.host.abort(AbortSlot { slot, ticket }))
    })
}

/// Takes back the slot of a call that is over. False if no call has it under that ticket.
#[napi]
pub fn host_release_abort(handle: u32, slot: u32, ticket: u32) -> Result<bool> {
    with(handle, |entry| {
        let slot = AbortSlot { slot, ticket };
        Ok(entry.port.host.release_abort_slot(slot))
    })
}

/// Gives a call a deadline, so many milliseconds from now.
#[napi]
pub fn host_deadline(handle: u32, call: u32, generation: u32, milliseconds: u32) -> Result<()> {
    with(handle, |entry| {
        let after = Duration::from_millis(u64::from(milliseconds));
        entry.port.host.schedule(call, generation, after);
        Ok(())
    })
}

/// Takes a call's deadline away. False if it has none.
#[napi]
pub fn host_cancel_deadline(handle: u32, call: u32) -> Result<bool> {
    with(handle, |entry| Ok(entry.port.host.cancel_deadline(call)))
}

/// Milliseconds until something may expire, rounded up; -1 if nothing waits.
#[napi]
pub fn host_next_deadline(handle: u32) -> Result<i32> {
    with(handle, |entry| {
        let next = entry.port.host.next_deadline();
        // Longer than 24 days: the timer fires before, and is armed again.
        let milliseconds = |after: Duration| after.as_micros().div_ceil(1000);
        Ok(next.map_or(-1, |after| {
            i32::try_from(milliseconds(after)).unwrap_or(i32::MAX)
        }))
    })
}

/// Takes calls whose deadlines have passed: number and generation of each are in the control block. Returns how many; there may be more
/// unless it is 0.
#[napi]
pub fn host_expire(handle: u32) -> Result<u32> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript reads the block; this is its only slice.
        let control = unsafe { entry.control.words() };
        Ok(entry.port.expire(control))
    })
}

/// Removes a call that no worker has taken, handed over or not: it never runs, and its number is free. False if it is too late.
#[napi]
pub fn host_cancel(handle: u32, call: u32, generation: u32) -> Result<bool> {
    with(handle, |entry| {
        entry.port.host.cancel(call, generation).map_err(sched)
    })
}

/// Calls that were handed over and that no worker has taken yet.
#[napi]
pub fn host_queued(handle: u32) -> Result<u32> {
    with(handle, |entry| {
        let queued = entry.port.host.queued().map_err(sched)?;
        Ok(u32::try_from(queued).unwrap_or(u32::MAX))
    })
}
