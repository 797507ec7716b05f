//! Memory that users share on purpose: `ProcessSharedBuffer`. A handle is a number, valid on the thread that made it, and keeps its memory; so does
//! every buffer that shows it, on its own. When the thread ends, its handles go.
//!
//! | functions | idea |
//! |---|---|
//! | [`create`], [`create_named`], [`open_named`] | memory and names |
//! | [`duplicate`], [`close`], [`region`], [`adopt`] | handles |
//! | [`wait`], [`notify`] | sleeping on a word, across processes |
//! | [`put`], [`take`] | to another thread of this process, beside a message ([`knit_shm::transit`] has the rest) |
//! | [`publish`], [`find`] | to another thread by its number ([`knit_shm::directory`]) |

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use knit_shm::wait::{Outcome, shared};
use knit_shm::{Region, ShmError, directory, transit};

use crate::error::{Result, SchedError};

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

/// The memory of a handle. A clone, so that nothing is borrowed while the caller waits or calls back.
///
/// # Errors
/// There is no such handle on this thread.
pub fn region(handle: u32) -> Result<Arc<Region>> {
    HANDLES
        .with_borrow(|handles| handles.regions.get(&handle).cloned())
        .ok_or(SchedError::NoSharedMemory(handle))
}

/// Memory of a size that handles can tell, with all its pages there: named memory is limited by its file system, and a page that it does
/// not give ends the process.
fn checked(region: Region) -> Result<Arc<Region>> {
    let bytes = region.len();
    if u32::try_from(bytes).is_err() {
        return Err(ShmError::TooLarge { len: bytes as u64 }.into());
    }
    region
        .prefault(0, bytes)
        .map_err(|source| SchedError::SharedMemoryFull { bytes, source })?;
    Ok(Arc::new(region))
}

/// New memory without a name.
///
/// # Errors
/// There is none.
pub fn create(bytes: u32) -> Result<u32> {
    Ok(insert(Arc::new(Region::anonymous(bytes as usize)?)))
}

/// New memory under a name that nobody has.
///
/// # Errors
/// The name is taken or malformed, or there is no room.
pub fn create_named(name: &str, bytes: u32) -> Result<u32> {
    let region = Region::named(name, bytes as usize)?;
    checked(region).map(insert).inspect_err(|_| {
        // Nobody was told of the name. That it may be gone already changes nothing.
        let _ = Region::unlink(name);
    })
}

/// The memory of that name.
///
/// # Errors
/// There is none, or it is not for this user.
pub fn open_named(name: &str) -> Result<u32> {
    checked(Region::open_named(name)?).map(insert)
}

/// Another handle for the same memory.
///
/// # Errors
/// There is no such handle on this thread.
pub fn duplicate(handle: u32) -> Result<u32> {
    region(handle).map(insert)
}

/// Lets go of a handle; does nothing if that has happened.
pub fn close(handle: u32) {
    let region = HANDLES.with_borrow_mut(|handles| handles.regions.remove(&handle));
    // Here, where nothing is borrowed, it may unmap.
    drop(region);
}

/// A handle for memory that came from elsewhere.
///
/// # Errors
/// It is larger than handles can tell.
pub fn adopt(region: Region) -> Result<u32> {
    let len = region.len() as u64;
    if u32::try_from(len).is_err() {
        return Err(ShmError::TooLarge { len }.into());
    }
    Ok(insert(Arc::new(region)))
}

/// Sleeps while the word at `offset` is `value`, at most for `timeout`.
///
/// # Errors
/// There is no such handle or word.
pub fn wait(handle: u32, offset: u32, value: u32, timeout: Option<Duration>) -> Result<Outcome> {
    let region = region(handle)?;
    let word = region.atomic_u32(offset as usize)?;
    Ok(shared::wait(word, value, timeout)?)
}

/// Wakes up to `count` of those who sleep on the word at `offset`; returns how many.
///
/// # Errors
/// There is no such handle or word.
pub fn notify(handle: u32, offset: u32, count: u32) -> Result<u32> {
    let region = region(handle)?;
    let word = region.atomic_u32(offset as usize)?;
    Ok(shared::wake(word, count) as u32)
}

/// Puts memory on its way to another thread; returns the number for the message.
///
/// # Errors
/// There is no such handle on this thread.
pub fn put(handle: u32, sender: u32) -> Result<u32> {
    Ok(transit::put(region(handle)?, sender))
}

/// A handle for the memory that a message names, once; 0 if it is gone.
#[must_use]
pub fn take(number: u32) -> u32 {
    transit::take(number).map_or(0, insert)
}

/// A number by which every thread of this process finds the memory while somebody keeps it.
///
/// # Errors
/// There is no such handle on this thread.
pub fn publish(handle: u32) -> Result<u32> {
    Ok(directory::publish(&region(handle)?))
}

/// A handle for the memory of that number; 0 if it is gone.
#[must_use]
pub fn find(number: u32) -> u32 {
    directory::find(number).map_or(0, insert)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_means_nothing_on_another_thread() {
        let handle = create(64).unwrap();
        let elsewhere = std::thread::spawn(move || region(handle).is_err());
        assert!(elsewhere.join().unwrap());
        assert_eq!(region(handle).unwrap().len(), 64);
        close(handle);
        close(handle);
        assert_eq!(region(handle).unwrap_err().code(), "KNT_CLOSED");
    }

    #[test]
    fn memory_arrives_under_another_handle_and_outlives_the_first() {
        let handle = create(64).unwrap();
        let number = put(handle, transit::sender()).unwrap();
        close(handle);
        let taken = std::thread::spawn(move || {
            let taken = take(number);
            (region(taken).unwrap().len(), take(number))
        });
        assert_eq!(taken.join().unwrap(), (64, 0));
    }
}
