//! Memory that crosses between a host and its worker processes, beside messages: see `knit_sched::port`. Numbers are for messages, handles those of `shared.rs`; 0 is
//! none.

use knit_sched::port::{self, shared};
use napi_derive::napi;

use crate::error::{Result, sched};
use crate::host::with;

/// Passes memory to every worker process, and to those that start from now on; returns the number for a message.
#[napi]
pub fn host_share(handle: u32, memory: u32) -> Result<u32> {
    let region = shared::region(memory).map_err(sched)?;
    with(handle, |entry| Ok(entry.port.share(&region)))
}

/// No message will name that number any more.
#[napi]
pub fn host_unshare(handle: u32, number: u32) -> Result<()> {
    with(handle, |entry| {
        entry.port.unshare(number);
        Ok(())
    })
}

/// A handle for the memory that an answer of a worker process names, once.
#[napi]
pub fn host_take_shared(handle: u32, worker: u32, number: u32) -> Result<u32> {
    let taken = with(handle, |entry| {
        let worker = worker as usize;
        entry.port.take_shared(worker, number).map_err(sched)
    });
    taken?.map_or(Ok(0), |region| shared::adopt(region).map_err(sched))
}

/// In a worker process: passes memory to the host; returns the number for a message.
#[napi]
pub fn process_share(memory: u32) -> Result<u32> {
    let region = shared::region(memory).map_err(sched)?;
    port::process_share(&region).map_err(sched)
}

/// In a worker process: no message will name that number.
#[napi]
pub fn process_unshare(number: u32) -> Result<()> {
    port::process_unshare(number).map_err(sched)
}

/// In a worker process: a handle for the memory that a message of the host names, once.
#[napi]
pub fn process_take_shared(number: u32) -> Result<u32> {
    let taken = port::process_take_shared(number).map_err(sched)?;
    taken.map_or(Ok(0), |region| shared::adopt(region).map_err(sched))
}
