//! Memory that users share on purpose, beside a pool's: see `knit_sched::port::shared`.
//!
//! A handle is a number, valid on the thread that made it until it is closed there or the thread ends. What a handle's memory was handed out as
//! ([`knit_shared_memory`]) keeps it on its own. The number 0 stands for what is gone.

use std::time::Duration;

use knit_sched::port::shared;
use knit_shm::wait::Outcome;
use knit_shm::{Region, directory, transit};

use crate::abi::Memory;
use crate::error::{Result, bytes, count, guard, put};
use crate::memory::{hand_out_area, not_null};
use crate::process::text;

/// Puts a number where the caller wants it.
///
/// # Safety
/// `out` is null, or may be written.
unsafe fn tell(out: *mut u32, number: impl FnOnce() -> Result<u32>) -> i32 {
    guard(|| {
        not_null(out)?;
        let number = number()?;
        // SAFETY: as the caller promises.
        unsafe { put(out, number) }.map(|()| 0)
    })
}

/// Makes memory without a name; `*handle` keeps it.
///
/// # Safety
/// `handle` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_create(size: u32, handle: *mut u32) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { tell(handle, || Ok(shared::create(size)?)) }
}

/// Makes memory under a name that nobody has, in UTF-8: 1 to 30 characters, no slash, no NUL. Only this user can open it. Errors: the name, no room.
///
/// # Safety
/// `name` has `name_len` bytes. `handle` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_create_named(
    name: *const u8,
    name_len: usize,
    size: u32,
    handle: *mut u32,
) -> i32 {
    let create = || {
        // SAFETY: as the caller promises.
        let name = text(unsafe { bytes(name, name_len) }?)?;
        Ok(shared::create_named(name, size)?)
    };
    // SAFETY: as the caller promises.
    unsafe { tell(handle, create) }
}

/// Opens the memory of that name. Errors: there is none, or it is another user's.
///
/// # Safety
/// `name` has `name_len` bytes. `handle` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_open_named(
    name: *const u8,
    name_len: usize,
    handle: *mut u32,
) -> i32 {
    let open = || {
        // SAFETY: as the caller promises.
        let name = text(unsafe { bytes(name, name_len) }?)?;
        Ok(shared::open_named(name)?)
    };
    // SAFETY: as the caller promises.
    unsafe { tell(handle, open) }
}

/// Frees a name. The memory stays for those who have it. Errors: nobody has that name.
///
/// # Safety
/// `name` has `name_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_unlink(name: *const u8, name_len: usize) -> i32 {
    guard(|| {
        // SAFETY: as the caller promises.
        let name = text(unsafe { bytes(name, name_len) }?)?;
        Region::unlink(name)?;
        Ok(0)
    })
}

/// Makes another handle for the same memory.
///
/// # Safety
/// `copy` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_clone(handle: u32, copy: *mut u32) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { tell(copy, || Ok(shared::duplicate(handle)?)) }
}

/// Lets go of a handle; does nothing if that has happened.
#[unsafe(no_mangle)]
pub extern "C" fn knit_shared_close(handle: u32) -> i32 {
    guard(|| {
        shared::close(handle);
        Ok(0)
    })
}

/// Says how many bytes there are.
///
/// # Safety
/// `size` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_size(handle: u32, size: *mut u32) -> i32 {
    // What a handle has was checked to fit.
    // SAFETY: as the caller promises.
    unsafe { tell(size, || Ok(shared::region(handle)?.len() as u32)) }
}

/// Hands out the memory's first `bytes`. `*memory` is good until its token is given to `knit_memory_release`, on any thread, also after the handle is
/// closed.
///
/// # Safety
/// `memory` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_memory(handle: u32, bytes: u32, memory: *mut Memory) -> i32 {
    guard(|| {
        not_null(memory)?;
        let area = shared::region(handle)?.area(0, bytes as usize)?;
        // SAFETY: as the caller promises.
        unsafe { put(memory, hand_out_area(area)) }.map(|()| 0)
    })
}

/// Sleeps while the 32-bit word at `offset` is `value`, at most `milliseconds`; negative: for ever. Returns 0 if woken, 1 if the word is another, 2 if the
/// time is over.
#[unsafe(no_mangle)]
pub extern "C" fn knit_shared_wait(handle: u32, offset: u32, value: u32, milliseconds: i32) -> i32 {
    guard(|| {
        let timeout = u64::try_from(milliseconds).ok().map(Duration::from_millis);
        Ok(match shared::wait(handle, offset, value, timeout)? {
            Outcome::Woken => 0,
            Outcome::Changed => 1,
            Outcome::TimedOut => 2,
        })
    })
}

/// Wakes up to `most` of those who sleep on the word at `offset`, in any process; returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn knit_shared_notify(handle: u32, offset: u32, most: u32) -> i32 {
    guard(|| Ok(count(shared::notify(handle, offset, most)? as usize)))
}

/// Takes a number for a new sender of messages.
///
/// # Safety
/// `sender` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_sender(sender: *mut u32) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { tell(sender, || Ok(transit::sender())) }
}

/// Puts memory on its way to another thread of this process; `*number` is for the message. It stays until that thread takes it, or the sender
/// takes it back.
///
/// # Safety
/// `number` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_put(handle: u32, sender: u32, number: *mut u32) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { tell(number, || Ok(shared::put(handle, sender)?)) }
}

/// Takes the memory that a message names, once; `*handle` is 0 if it is gone.
///
/// # Safety
/// `handle` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_take(number: u32, handle: *mut u32) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { tell(handle, || Ok(shared::take(number))) }
}

/// Takes back what was put on its way, unless it has arrived.
#[unsafe(no_mangle)]
pub extern "C" fn knit_shared_forget(number: u32) -> i32 {
    guard(|| {
        transit::forget(number);
        Ok(0)
    })
}

/// Takes back everything of a sender that has not arrived.
#[unsafe(no_mangle)]
pub extern "C" fn knit_shared_forget_all(sender: u32) -> i32 {
    guard(|| {
        transit::forget_all(sender);
        Ok(0)
    })
}

/// Tells a number by which every thread of this process finds the memory while somebody keeps it.
///
/// # Safety
/// `number` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_publish(handle: u32, number: *mut u32) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { tell(number, || Ok(shared::publish(handle)?)) }
}

/// Makes a handle for the memory of that number; `*handle` is 0 if it is gone.
///
/// # Safety
/// `handle` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_find(number: u32, handle: *mut u32) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { tell(handle, || Ok(shared::find(number))) }
}

/// Tells a number of this process, for messages that name memory by its number.
///
/// # Safety
/// `origin` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_shared_origin(origin: *mut u32) -> i32 {
    // SAFETY: as the caller promises.
    unsafe { tell(origin, || Ok(directory::origin())) }
}
