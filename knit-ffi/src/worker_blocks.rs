//! The worker's blocks: large payloads, outside the rings. A block is named by its locator, two words.
//!
//! | block | taken by | given back by |
//! |---|---|---|
//! | that a call names | [`knit_worker_open_block`], and is copied out | [`knit_worker_close_block`] |
//! | that a call names, kept as it is | [`knit_worker_hold_block`] | `knit_loan_drop` |
//! | to be sent with a reply | [`knit_worker_alloc_block`] | the reply, or [`knit_worker_free_block`] |

use crate::abi::Memory;
use crate::host_blocks::locator;
use crate::memory::{not_null, show_loan};
use crate::worker::with;

/// Opens a block that a call names: its place in the host's heap (`KNIT_MEMORY_HEAP`) and its size are in the control block. It is the worker's until
/// `knit_worker_close_block`. Errors: the locator names no such block.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_open_block(worker: u32, low: u32, high: u32) -> i32 {
    with(worker, |entry| {
        entry.controlled(|port, control| port.open_block(locator(low, high), control))?;
        Ok(0)
    })
}

/// Gives such a block back. Errors: it was given back already.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_close_block(worker: u32, low: u32, high: u32) -> i32 {
    with(worker, |entry| {
        entry.port.worker.close_block(locator(low, high))?;
        Ok(0)
    })
}

/// Keeps a block that a call names for as long as the program likes: `*memory` is good until `knit_loan_drop` of its token, on any thread. The
/// call's reply says so by `KNIT_FLAG_KEPT`. 0 if it is not one to keep: open it, copy it out and close it. Else 1.
///
/// # Safety
/// `memory` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_worker_hold_block(
    worker: u32,
    low: u32,
    high: u32,
    memory: *mut Memory,
) -> i32 {
    with(worker, |entry| {
        not_null(memory)?;
        let loan = entry.port.worker.hold_block(locator(low, high))?;
        // SAFETY: as the caller promises.
        unsafe { show_loan(loan, memory) }
    })
}

/// Allocates a block to be sent with a reply: its place in this worker's heap, its size and its locator are in the control block. 0 if there is no
/// room at present, else 1.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_alloc_block(worker: u32, bytes: u32) -> i32 {
    with(worker, |entry| {
        let done = entry.controlled(|port, control| port.alloc_block(bytes as usize, control))?;
        Ok(i32::from(done))
    })
}

/// Takes back a block that is not sent. Errors: the locator names no such block.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_free_block(worker: u32, low: u32, high: u32) -> i32 {
    with(worker, |entry| {
        entry.port.worker.free_block(locator(low, high))?;
        Ok(0)
    })
}

/// Gives the pages back that no large payload is in.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_trim(worker: u32) -> i32 {
    with(worker, |entry| {
        entry.port.worker.trim()?;
        Ok(0)
    })
}
