//! The host's blocks: large payloads, outside the rings. A block is named by its locator, two words.
//!
//! | block | taken by | given back by |
//! |---|---|---|
//! | that a reply names | [`knit_host_open_block`], and is copied out | [`knit_host_close_block`] |
//! | that a reply names, kept as it is | [`knit_host_hold_block`] | `knit_loan_drop` |
//! | to be sent with a call | [`knit_host_alloc_block`], or [`knit_host_lend_block`] and [`knit_host_take_over_block`] | the call, or [`knit_host_free_block`] |

use crate::abi::Memory;
use crate::host::with;
use crate::memory::{not_null, show_loan};

/// The two words of a locator as one.
pub(crate) fn locator(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// Opens a block that a reply of `worker` names: its place in that worker's heap and its size are in the control block. It is the host's until
/// `knit_host_close_block`. Errors: the locator names no such block.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_open_block(host: u32, worker: u32, low: u32, high: u32) -> i32 {
    with(host, |entry| {
        let locator = locator(low, high);
        entry.controlled(|port, control| port.open_block(worker as usize, locator, control))?;
        Ok(0)
    })
}

/// Gives such a block back. Errors: it was given back already.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_close_block(host: u32, worker: u32, low: u32, high: u32) -> i32 {
    with(host, |entry| {
        entry
            .port
            .host
            .close_block(worker as usize, locator(low, high))?;
        Ok(0)
    })
}

/// Keeps a block that a reply of `worker` names, for as long as the program likes: `*memory` is good until `knit_loan_drop` of its token, on any
/// thread. 0 if it is not one to keep: open it, copy it out and close it. Else 1.
///
/// # Safety
/// `memory` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_hold_block(
    host: u32,
    worker: u32,
    low: u32,
    high: u32,
    memory: *mut Memory,
) -> i32 {
    with(host, |entry| {
        not_null(memory)?;
        let locator = locator(low, high);
        let loan = entry.port.host.hold_block(worker as usize, locator)?;
        // SAFETY: as the caller promises.
        unsafe { show_loan(loan, memory) }
    })
}

/// Says that a worker's program holds blocks that came with a call that it has answered (`KNIT_FLAG_KEPT`).
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_kept(host: u32, worker: u32, call: u32) -> i32 {
    with(host, |entry| {
        entry.port.host.kept(worker as usize, call)?;
        Ok(0)
    })
}

/// Makes a block for the program of this host: `*memory` is good until `knit_loan_drop` of its token, its locator is in the control block. 0 if there is no
/// room, else 1.
///
/// # Safety
/// `memory` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_lend_block(host: u32, bytes: u32, memory: *mut Memory) -> i32 {
    with(host, |entry| {
        not_null(memory)?;
        let bytes = bytes as usize;
        let loan = entry.controlled(|port, control| port.lend_block(bytes, control))?;
        // SAFETY: as the caller promises.
        unsafe { show_loan(loan, memory) }
    })
}

/// Takes such a block over, to be sent: the program must not write there any more, and its token, which is still to be dropped, no longer stands
/// for the block. 0 if it did not any more, else 1.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_take_over_block(host: u32, low: u32, high: u32) -> i32 {
    with(host, |entry| {
        let locator = locator(low, high);
        Ok(i32::from(entry.port.host.take_over_block(locator)))
    })
}

/// Allocates a block to be sent with a call: its place in the host's heap, its size and its locator are in the control block. 0 if there is no room at
/// present, else 1.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_alloc_block(host: u32, bytes: u32) -> i32 {
    with(host, |entry| {
        let bytes = bytes as usize;
        let done = entry.controlled(|port, control| port.alloc_block(bytes, control))?;
        Ok(i32::from(done))
    })
}

/// Takes back a block that is not sent. Errors: the locator names no such block.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_free_block(host: u32, low: u32, high: u32) -> i32 {
    with(host, |entry| {
        entry.port.host.free_block(locator(low, high))?;
        Ok(0)
    })
}

/// Says that such a block goes with a call that is not handed over yet: before that, so that it is freed with its call, whatever becomes of it.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_assign_block(host: u32, call: u32, low: u32, high: u32) -> i32 {
    with(host, |entry| {
        entry.port.host.assign_block(call, locator(low, high));
        Ok(0)
    })
}

/// Has the pages of the lowest `bytes` of every heap set up now, and keeps them while the pool lives. To be called before any worker begins. Errors: the
/// system has not so much memory.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_reserve(host: u32, bytes: u32) -> i32 {
    with(host, |entry| {
        entry.port.host.reserve(u64::from(bytes))?;
        Ok(0)
    })
}

/// Gives the pages back that no large payload is in.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_trim(host: u32) -> i32 {
    with(host, |entry| {
        entry.port.host.trim()?;
        Ok(0)
    })
}
