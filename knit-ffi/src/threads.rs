//! Learning that a worker's thread has really ended, where its runtime does not tell. See `knit_sched::port::threads`.
//!
//! A watch is a number that is good on all threads until the thread that made it has ended.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use knit_sched::Bell;
use knit_sched::port::threads::{self, Ended};

use crate::bell::{CBell, Ring};
use crate::error::{bytes, guard, put, write_text};
use crate::memory::{self, adopt, not_null};
use crate::process::text;
use crate::worker;

/// Makes a watch of this thread; `*watch` becomes its number.
///
/// # Safety
/// `watch` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_watch_create(watch: *mut u32) -> i32 {
    guard(|| {
        not_null(watch)?;
        // SAFETY: as the caller promises.
        unsafe { put(watch, threads::watch()) }.map(|()| 0)
    })
}

/// Sets what is rung after threads have ended, or with a null `ring` that nothing is. See `knit_host_bell`.
///
/// # Safety
/// `ring` may be called with `context`, on any thread, until this returns for another bell or the thread that made the watch has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_watch_bell(watch: u32, ring: Ring, context: *mut c_void) -> i32 {
    guard(|| {
        let bell = ring.map(|ring| CBell::new(ring, context) as Arc<dyn Bell>);
        threads::set_bell(watch, bell)?;
        Ok(0)
    })
}

/// Sleeps until a thread has ended that `knit_watch_take` has not told of (1), or `knit_watch_release` is called (0). May be called on any thread.
#[unsafe(no_mangle)]
pub extern "C" fn knit_watch_wait(watch: u32) -> i32 {
    guard(|| Ok(i32::from(threads::wait(watch)?)))
}

/// Lets the one go who sleeps in `knit_watch_wait`, or the next one who would. May be called on any thread.
#[unsafe(no_mangle)]
pub extern "C" fn knit_watch_release(watch: u32) -> i32 {
    guard(|| {
        threads::stop_waiting(watch)?;
        Ok(0)
    })
}

/// Takes the next thread that has ended: `*id` becomes the number that it had announced itself under. 1 if there is one, else 0. What it said last
/// is then told by `knit_watch_words`.
///
/// # Safety
/// `id` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_watch_take(watch: u32, id: *mut u32) -> i32 {
    guard(|| {
        not_null(id)?;
        let Some(Ended {
            id: number,
            last_words,
        }) = threads::take_ended(watch)?
        else {
            return Ok(0);
        };
        WORDS.replace(last_words);
        // SAFETY: as the caller promises.
        unsafe { put(id, number) }.map(|()| 1)
    })
}

thread_local! {
    /// Last words of the thread that `knit_watch_take` told of last.
    static WORDS: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

/// Writes the last words of the thread that `knit_watch_take` told of last on this thread, as `knit_last_error` does its text.
///
/// # Safety
/// `buffer` is null, or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_watch_words(buffer: *mut c_char, len: usize) -> i32 {
    guard(|| {
        // SAFETY: as the caller promises.
        Ok(WORDS.with_borrow(|words| unsafe { write_text(words, buffer, len) }))
    })
}

/// Whether that thread has announced itself and its end was not told by `knit_watch_take` yet: 1 or 0.
#[unsafe(no_mangle)]
pub extern "C" fn knit_watch_alive(watch: u32, id: u32) -> i32 {
    guard(|| Ok(i32::from(threads::is_alive(watch, id)?)))
}

/// Announces this thread to a watch under a number. 0 if the watch is gone: nobody waits for this thread any more. Else 1.
#[unsafe(no_mangle)]
pub extern "C" fn knit_thread_announce(watch: u32, id: u32) -> i32 {
    guard(|| Ok(i32::from(threads::announce(watch, id, leave))))
}

/// What goes with the thread goes before its end is told.
fn leave() {
    worker::leave();
    memory::leave();
}

/// Says why this thread is about to end, in UTF-8; the last one counts.
///
/// # Safety
/// `words` is null and `len` 0, or it has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_thread_last_words(words: *const u8, len: usize) -> i32 {
    guard(|| {
        // SAFETY: as the caller promises.
        threads::last_words(text(unsafe { bytes(words, len) }?)?);
        Ok(0)
    })
}

/// Says that the program on this thread goes with it, as that of a JavaScript runtime does: memory that is handed out here from now on is given
/// back when the thread ends, if it was not before.
#[unsafe(no_mangle)]
pub extern "C" fn knit_thread_owns() -> i32 {
    guard(|| {
        adopt();
        Ok(0)
    })
}
