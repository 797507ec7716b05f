//! Memory that users share on purpose: `ProcessSharedBuffer`. A handle is a number, valid on the thread that made it, and keeps its memory; so does
//! every buffer that shows it, on its own. When the thread ends, its handles go.
//!
//! | functions | idea |
//! |---|---|
//! | `shared_create`, `shared_create_named`, `shared_open_named`, `shared_unlink` | memory and names |
//! | `shared_clone`, `shared_close`, `shared_bytes`, `shared_buffer` | handles |
//! | `shared_wait`, `shared_notify` | sleeping on a word, across processes |
//! | `shared_sender`, `shared_put`, `shared_take`, `shared_forget`, `shared_forget_all` | to another thread of this process, beside a message (`knit_shm::transit`) |
//! | `shared_publish`, `shared_find`, `shared_origin` | to another thread by its number (`knit_shm::directory`) |

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use knit_shm::wait::{Outcome, shared};
use knit_shm::{Region, ShmError, directory, transit};
use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::error::{Error, Result, unknown};
use crate::external::show_region;

#[derive(Default)]
struct Handles {
    last: u32,
    regions: HashMap<u32, Arc<Region>>,
}

thread_local! {
    static HANDLES: RefCell<Handles> = RefCell::default();
}

fn insert(region: Arc<Region>) -> u32 {
    HANDLES.with_borrow_mut(|handles| {
        loop {
            handles.last = handles.last.wrapping_add(1);
            if handles.last != 0 && !handles.regions.contains_key(&handles.last) {
                break;
            }
        }
        handles.regions.insert(handles.last, region);
        handles.last
    })
}

/// A clone, so that nothing is borrowed while the caller waits or calls back.
fn region(handle: u32) -> Result<Arc<Region>> {
    HANDLES
        .with_borrow(|handles| handles.regions.get(&handle).cloned())
        .ok_or_else(|| unknown("shared memory", handle))
}

fn shm(error: ShmError) -> Error {
    Error::new(error.code(), error.to_string())
}

/// Memory of a size that handles can tell, with all its pages there: named memory is limited by its file system, and a page that it does
/// not give ends the process.
fn checked(region: Region) -> Result<Arc<Region>> {
    if u32::try_from(region.len()).is_err() {
        return Err(shm(ShmError::TooLarge {
            len: region.len() as u64,
        }));
    }
    region.prefault(0, region.len()).map_err(|error| {
        Error::new(
            "SHM_FULL",
            format!(
                "there is no room for {} bytes of named memory: {error}",
                region.len()
            ),
        )
    })?;
    Ok(Arc::new(region))
}

/// New memory without a name.
#[napi]
pub fn shared_create(bytes: u32) -> Result<u32> {
    Region::anonymous(bytes as usize)
        .map(|region| insert(Arc::new(region)))
        .map_err(shm)
}

/// New memory under a name that nobody has.
#[napi]
pub fn shared_create_named(name: String, bytes: u32) -> Result<u32> {
    let region = Region::named(&name, bytes as usize).map_err(shm)?;
    checked(region).map(insert).inspect_err(|_| {
        // Nobody was told of the name. That it may be gone already changes nothing.
        let _ = Region::unlink(&name);
    })
}

/// The memory of that name.
#[napi]
pub fn shared_open_named(name: String) -> Result<u32> {
    Region::open_named(&name)
        .map_err(shm)
        .and_then(checked)
        .map(insert)
}

/// Frees a name. The memory stays for those who have it.
#[napi]
pub fn shared_unlink(name: String) -> Result<()> {
    Region::unlink(&name).map_err(shm)
}

/// Another handle for the same memory.
#[napi]
pub fn shared_clone(handle: u32) -> Result<u32> {
    region(handle).map(insert)
}

/// Lets go of a handle; does nothing if that has happened.
#[napi]
pub fn shared_close(handle: u32) {
    let region = HANDLES.with_borrow_mut(|handles| handles.regions.remove(&handle));
    // Here, where nothing is borrowed, it may unmap.
    drop(region);
}

/// How many bytes there are.
#[napi]
pub fn shared_bytes(handle: u32) -> Result<u32> {
    // What a handle has was checked to fit.
    Ok(region(handle)?.len() as u32)
}

/// The memory's first `bytes` as an `ArrayBuffer`, a new one each time. It keeps the memory until it is collected or detached.
#[napi]
pub fn shared_buffer(env: Env, handle: u32, bytes: u32) -> Result<Unknown<'static>> {
    let region = region(handle)?;
    show_region(&env, &region, 0, bytes as usize)
}

/// Sleeps while the word at `offset` is `value`, at most `milliseconds`, for ever if that is not finite. Returns 0 if woken, 1 if the word is another, 2 if the
/// time is over.
#[napi]
pub fn shared_wait(handle: u32, offset: u32, value: i32, milliseconds: f64) -> Result<u32> {
    let region = region(handle)?;
    let word = region.atomic_u32(offset as usize).map_err(shm)?;
    let timeout = Duration::try_from_secs_f64(milliseconds.max(0.0) / 1000.0).ok();
    match shared::wait(word, value as u32, timeout).map_err(shm)? {
        Outcome::Woken => Ok(0),
        Outcome::Changed => Ok(1),
        Outcome::TimedOut => Ok(2),
    }
}

/// Wakes up to `count` of those who sleep on the word at `offset`; returns how many.
#[napi]
pub fn shared_notify(handle: u32, offset: u32, count: u32) -> Result<u32> {
    let region = region(handle)?;
    let word = region.atomic_u32(offset as usize).map_err(shm)?;
    Ok(shared::wake(word, count) as u32)
}

/// A number for a new sender of messages.
#[napi]
pub fn shared_sender() -> u32 {
    transit::sender()
}

/// Puts memory on its way to another thread; returns the number for the message.
#[napi]
pub fn shared_put(handle: u32, sender: u32) -> Result<u32> {
    Ok(transit::put(region(handle)?, sender))
}

/// A handle for the memory that a message names, once; 0 if it is gone.
#[napi]
pub fn shared_take(number: u32) -> u32 {
    transit::take(number).map_or(0, insert)
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
    Ok(directory::publish(&region(handle)?))
}

/// A handle for the memory of that number; 0 if it is gone.
#[napi]
pub fn shared_find(number: u32) -> u32 {
    directory::find(number).map_or(0, insert)
}

/// A number of this process.
#[napi]
pub fn shared_origin() -> u32 {
    directory::origin()
}
