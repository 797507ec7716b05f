//! Memory that users share on purpose: `ProcessSharedBuffer`. See `knit_sched::port::shared` for handles and what each function does.

use std::time::Duration;

use knit_sched::port::shared;
use knit_shm::wait::Outcome;
use knit_shm::{Region, ShmError, directory, transit};
use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::error::{Error, Result, sched};
use crate::external::show_region;

fn shm(error: ShmError) -> Error {
    Error::new(error.code(), error.to_string())
}

/// New memory without a name.
#[napi]
pub fn shared_create(bytes: u32) -> Result<u32> {
    shared::create(bytes).map_err(sched)
}

/// New memory under a name that nobody has.
#[napi]
pub fn shared_create_named(name: String, bytes: u32) -> Result<u32> {
    shared::create_named(&name, bytes).map_err(sched)
}

/// The memory of that name.
#[napi]
pub fn shared_open_named(name: String) -> Result<u32> {
    shared::open_named(&name).map_err(sched)
}

/// Frees a name. The memory stays for those who have it.
#[napi]
pub fn shared_unlink(name: String) -> Result<()> {
    Region::unlink(&name).map_err(shm)
}

/// Another handle for the same memory.
#[napi]
pub fn shared_clone(handle: u32) -> Result<u32> {
    shared::duplicate(handle).map_err(sched)
}

/// Lets go of a handle; does nothing if that has happened.
#[napi]
pub fn shared_close(handle: u32) {
    shared::close(handle);
}

/// How many bytes there are.
#[napi]
pub fn shared_bytes(handle: u32) -> Result<u32> {
    // What a handle has was checked to fit.
    Ok(shared::region(handle).map_err(sched)?.len() as u32)
}

/// The memory's first `bytes` as an `ArrayBuffer`, a new one each time. It keeps the memory until it is collected or detached.
#[napi]
pub fn shared_buffer(env: Env, handle: u32, bytes: u32) -> Result<Unknown<'static>> {
    let region = shared::region(handle).map_err(sched)?;
    show_region(&env, &region, 0, bytes as usize)
}

/// Sleeps while the word at `offset` is `value`, at most `milliseconds`, for ever if that is not finite. Returns 0 if woken, 1 if the word is another, 2 if the
/// time is over.
#[napi]
pub fn shared_wait(handle: u32, offset: u32, value: i32, milliseconds: f64) -> Result<u32> {
    let timeout = Duration::try_from_secs_f64(milliseconds.max(0.0) / 1000.0).ok();
    match shared::wait(handle, offset, value as u32, timeout).map_err(sched)? {
        Outcome::Woken => Ok(0),
        Outcome::Changed => Ok(1),
        Outcome::TimedOut => Ok(2),
    }
}

/// Wakes up to `count` of those who sleep on the word at `offset`; returns how many.
#[napi]
pub fn shared_notify(handle: u32, offset: u32, count: u32) -> Result<u32> {
    shared::notify(handle, offset, count).map_err(sched)
}

/// A number for a new sender of messages.
#[napi]
pub fn shared_sender() -> u32 {
    transit::sender()
}

/// Puts memory on its way to another thread; returns the number for the message.
#[napi]
pub fn shared_put(handle: u32, sender: u32) -> Result<u32> {
    shared::put(handle, sender).map_err(sched)
}

/// A handle for the memory that a message names, once; 0 if it is gone.
#[napi]
pub fn shared_take(number: u32) -> u32 {
    shared::take(number)
}

/// Takes back what was put on its way, unless it has arrived.
#[napi]
pub fn shared_forget(number: u32) {
    transit::forget(number);
}

/// Takes back everything of a sender that has not arrived.
#[napi]
pub fn shared_forget_all(sender: u32) {
    transit::forget_all(sender);
}

/// A number by which every thread of this process finds the memory while somebody keeps it.
#[napi]
pub fn shared_publish(handle: u32) -> Result<u32> {
    shared::publish(handle).map_err(sched)
}

/// A handle for the memory of that number; 0 if it is gone.
#[napi]
pub fn shared_find(number: u32) -> u32 {
    shared::find(number)
}

/// A number of this process.
#[napi]
pub fn shared_origin() -> u32 {
    directory::origin()
}
