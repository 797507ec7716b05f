//! The host's power over calls: abort slots, deadlines, removal from the queue.

use std::time::Duration;

use knit_sched::AbortSlot;

use crate::abi::KNIT_NONE;
use crate::error::count;
use crate::host::with;

/// Takes an abort slot for a call; its ticket is what its word in the front says then. `KNIT_NONE` if all are in use.
///
/// Slot and ticket go before the call's argument (`KNIT_FLAG_ABORT`). The slot is given back by `knit_host_release_abort` when the call is over.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_take_abort(host: u32) -> i32 {
    with(host, |entry| {
        let taken = entry.port.host.take_abort_slot();
        Ok(taken.map_or(KNIT_NONE, |taken| count(taken.slot as usize)))
    })
}

/// Aborts the call that has this slot, and wakes the workers that watch. 0 if no call has it under that ticket any more, else 1.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_abort(host: u32, slot: u32, ticket: u32) -> i32 {
    with(host, |entry| {
        let slot = AbortSlot { slot, ticket };
        Ok(i32::from(entry.port.host.abort(slot)))
    })
}

/// Takes back the slot of a call that is over: answered, removed, or named by `knit_host_retired`. 0 if no call has it under that ticket, else 1.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_release_abort(host: u32, slot: u32, ticket: u32) -> i32 {
    with(host, |entry| {
        let slot = AbortSlot { slot, ticket };
        Ok(i32::from(entry.port.host.release_abort_slot(slot)))
    })
}

/// Gives a call a deadline, so many milliseconds from now, in place of the one it has.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_deadline(
    host: u32,
    call: u32,
    generation: u32,
    milliseconds: u32,
) -> i32 {
    with(host, |entry| {
        let after = Duration::from_millis(u64::from(milliseconds));
        entry.port.host.schedule(call, generation, after);
        Ok(0)
    })
}

/// Takes a call's deadline away. 0 if it has none, else 1.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_cancel_deadline(host: u32, call: u32) -> i32 {
    with(host, |entry| {
        Ok(i32::from(entry.port.host.cancel_deadline(call)))
    })
}

/// Milliseconds until something may expire, rounded up; `KNIT_NONE` if nothing waits. Nothing here sets a timer: whoever owns the host does.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_next_deadline(host: u32) -> i32 {
    with(host, |entry| {
        let next = entry.port.host.next_deadline();
        // Longer than 24 days: a timer fires before, and is set again.
        let milliseconds = |after: Duration| after.as_micros().div_ceil(1000);
        Ok(next.map_or(KNIT_NONE, |after| {
            i32::try_from(milliseconds(after)).map_or(KNIT_NONE - 1, |ms| ms.min(KNIT_NONE - 1))
        }))
    })
}

/// Takes calls whose deadlines have passed: number and generation of each are in the control block. Returns how many; there may be more unless it
/// is 0.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_expire(host: u32) -> i32 {
    with(host, |entry| {
        let expired = entry.controlled(|port, control| port.expire(control));
        Ok(count(expired as usize))
    })
}

/// Removes a call that no worker has taken, handed over or not: it never runs, and its number is free. 1 if so, 0 if it is too late.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_cancel(host: u32, call: u32, generation: u32) -> i32 {
    with(host, |entry| {
        Ok(i32::from(entry.port.host.cancel(call, generation)?))
    })
}

/// Calls that were handed over and that no worker has taken yet.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_queued(host: u32) -> i32 {
    with(host, |entry| Ok(count(entry.port.host.queued()?)))
}
