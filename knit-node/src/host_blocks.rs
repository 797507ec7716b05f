//! The host's blocks: large payloads, outside the rings. A block is named by its locator, two words.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::error::{Result, sched};
use crate::external::show_loan;
use crate::host::{locator, with};

/// Opens a block that a reply names: its place and size are in the control block.
#[napi]
pub fn host_open_block(handle: u32, worker: u32, low: u32, high: u32) -> Result<()> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript reads the block; this is its only slice.
        let control = unsafe { entry.control.words() };
        entry
            .port
            .open_block(worker as usize, locator(low, high), control)
            .map_err(sched)
    })
}

/// Shows the first `bytes` of such a block as an `ArrayBuffer` that gives the block back when it is collected. Null if it is not one to keep.
#[napi(ts_return_type = "ArrayBuffer | null")]
pub fn host_hold_block(
    env: Env,
    handle: u32,
    worker: u32,
    low: u32,
    high: u32,
    bytes: u32,
) -> Result<Option<Unknown<'static>>> {
    with(handle, |entry| {
        let loan = entry
            .port
            .host
            .hold_block(worker as usize, locator(low, high))
            .map_err(sched)?;
        loan.map(|loan| show_loan(&env, loan, bytes as usize))
            .transpose()
    })
}

/// Says that a worker's program holds blocks that came with a call that it has answered.
#[napi]
pub fn host_kept(handle: u32, worker: u32, call: u32) -> Result<()> {
    with(handle, |entry| {
        entry.port.host.kept(worker as usize, call).map_err(sched)
    })
}

/// Makes a block for the program of this host and shows it as an `ArrayBuffer`; its name is in the control block. Null if there is no room.
#[napi(ts_return_type = "ArrayBuffer | null")]
pub fn host_lend_block(env: Env, handle: u32, bytes: u32) -> Result<Option<Unknown<'static>>> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript reads the block; this is its only slice.
        let control = unsafe { entry.control.words() };
        let loan = entry
            .port
            .lend_block(bytes as usize, control)
            .map_err(sched)?;
        loan.map(|loan| show_loan(&env, loan, bytes as usize))
            .transpose()
    })
}

/// Takes such a block over, to be sent: its `ArrayBuffer` must be detached, and no longer stands for it. False if it does not any more.
#[napi]
pub fn host_take_over_block(handle: u32, low: u32, high: u32) -> Result<bool> {
    with(handle, |entry| {
        Ok(entry.port.host.take_over_block(locator(low, high)))
    })
}

/// Gives such a block back.
#[napi]
pub fn host_close_block(handle: u32, worker: u32, low: u32, high: u32) -> Result<()> {
    with(handle, |entry| {
        entry
            .port
            .host
            .close_block(worker as usize, locator(low, high))
            .map_err(sched)
    })
}

/// Allocates a block to be sent with a call: its place, size and name are in the control block. False if there is no room.
#[napi]
pub fn host_alloc_block(handle: u32, bytes: u32) -> Result<bool> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript reads the block; this is its only slice.
        let control = unsafe { entry.control.words() };
        entry
            .port
            .alloc_block(bytes as usize, control)
            .map_err(sched)
    })
}

/// Takes back such a block: it is not sent.
#[napi]
pub fn host_free_block(handle: u32, low: u32, high: u32) -> Result<()> {
    with(handle, |entry| {
        entry
            .port
            .host
            .free_block(locator(low, high))
            .map_err(sched)
    })
}

/// Says that such a block goes with a call that is not submitted yet.
#[napi]
pub fn host_assign_block(handle: u32, call: u32, low: u32, high: u32) -> Result<()> {
    with(handle, |entry| {
        entry.port.host.assign_block(call, locator(low, high));
        Ok(())
    })
}

/// Has the pages of the lowest `bytes` of every heap set up now, and keeps them. Before any worker begins.
#[napi]
pub fn host_reserve(handle: u32, bytes: u32) -> Result<()> {
    with(handle, |entry| {
        entry.port.host.reserve(u64::from(bytes)).map_err(sched)
    })
}

/// Gives the pages back that no large payload is in.
#[napi]
pub fn host_trim(handle: u32) -> Result<()> {
    with(handle, |entry| entry.port.host.trim().map_err(sched))
}
