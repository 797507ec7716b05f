//! Memory that is handed out, and given back by token.
//!
//! | what | holds | given back by |
//! |---|---|---|
//! | a window on a pool's memory (front, heaps) | the mapping | [`knit_memory_release`] |
//! | a control block, a submission buffer, figures | that buffer | [`knit_memory_release`] |
//! | a block that a program holds or lends | the block and the mapping | [`knit_loan_drop`] |
//!
//! The rule is one: **`data` is good until its token is given back**, whatever happens to host, worker or pool in between. So the order in which
//! those, threads and a garbage collector go away does not matter, and a token may be given back on any thread, by a finaliser too. A
//! token that is never given back keeps its memory, unless the thread that it was handed out on has said that everything goes with it
//! (`knit_thread_owns`): a JavaScript runtime ends a worker without collecting what it has.
//!
//! Memory of a pool is written by other threads and processes: what is read there is read once, checked, and the copy is used.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use knit_sched::{Layout, Loan};
use knit_shm::{Area, Region, Words};

use crate::abi::{KNIT_MEMORY_FRONT, KNIT_MEMORY_HEAP, Memory};
use crate::error::{FfiError, Result, argument, guard, put};

/// What a token keeps, for the sake of being dropped.
enum Kept {
    Area { _area: Area },
    Words { _words: Arc<Words> },
    Loan { _loan: Loan },
}

#[derive(Default)]
struct Tokens {
    next: u32,
    kept: HashMap<u32, Kept>,
}

static TOKENS: LazyLock<Mutex<Tokens>> = LazyLock::new(Mutex::default);

fn tokens() -> std::sync::MutexGuard<'static, Tokens> {
    TOKENS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tokens that were handed out on this thread, if they go with it.
struct Owned(Vec<u32>);

impl Drop for Owned {
    fn drop(&mut self) {
        let mut tokens = tokens();
        let kept: Vec<Kept> = (self.0.iter())
            .filter_map(|token| tokens.kept.remove(token))
            .collect();
        // Unmapping takes a while: not under the lock.
        drop(tokens);
        drop(kept);
    }
}

thread_local! {
    static OWNED: RefCell<Option<Owned>> = const { RefCell::new(None) };
}

/// From now on, what is handed out on this thread goes with it.
pub(crate) fn adopt() {
    OWNED.with_borrow_mut(|owned| {
        owned.get_or_insert(Owned(Vec::new()));
    });
}

/// What goes with this thread goes now.
pub(crate) fn leave() {
    // It has gone already, if the storage has.
    let owned = OWNED.try_with(|owned| owned.take());
    drop(owned);
}

fn own(token: u32) {
    // The thread is ending otherwise, and hands nothing out any more.
    let _ = OWNED.try_with(|owned| {
        if let Some(Owned(list)) = owned.borrow_mut().as_mut() {
            if list.len() == list.capacity() {
                // Before it grows: without those that were given back meanwhile.
                let tokens = tokens();
                list.retain(|token| tokens.kept.contains_key(token));
            }
            list.push(token);
        }
    });
}

/// Keeps an area, and says where it is.
pub(crate) fn hand_out_area(area: Area) -> Memory {
    let (data, bytes) = (area.as_ptr(), area.len());
    hand_out(data, bytes, Kept::Area { _area: area })
}

/// Keeps something, and says where it is.
fn hand_out(data: *mut u8, bytes: usize, kept: Kept) -> Memory {
    let mut tokens = tokens();
    let token = loop {
        tokens.next = tokens.next.wrapping_add(1).max(1);
        if !tokens.kept.contains_key(&tokens.next) {
            break tokens.next;
        }
    };
    tokens.kept.insert(token, kept);
    drop(tokens);
    own(token);
    Memory {
        data,
        bytes: bytes as u64,
        token,
        reserved: 0,
    }
}

/// Hands out private memory.
///
/// # Safety
/// `out` is null, or may be written.
pub(crate) unsafe fn show_words(words: &Arc<Words>, out: *mut Memory) -> Result<()> {
    not_null(out)?;
    let words = words.clone();
    let memory = hand_out(words.as_ptr(), words.len(), Kept::Words { _words: words });
    // SAFETY: as the caller promises.
    unsafe { put(out, memory) }
}

/// Hands out the front or a heap of a pool.
///
/// # Safety
/// `out` is null, or may be written.
pub(crate) unsafe fn show_region(
    region: &Region,
    layout: &Layout,
    which: u32,
    out: *mut Memory,
) -> Result<()> {
    not_null(out)?;
    let (offset, bytes) = match which {
        KNIT_MEMORY_FRONT => (0, layout.front_bytes()),
        KNIT_MEMORY_HEAP.. => layout.heap((which - KNIT_MEMORY_HEAP) as usize)?,
        _ => return Err(argument("which", "a KNIT_MEMORY_* that this has")),
    };
    let memory = hand_out_area(region.area(offset, bytes)?);
    // SAFETY: as the caller promises.
    unsafe { put(out, memory) }
}

/// Hands out a block that a program holds: 1. None: 0.
///
/// # Safety
/// `out` is null, or may be written.
pub(crate) unsafe fn show_loan(loan: Option<Loan>, out: *mut Memory) -> Result<i32> {
    not_null(out)?;
    let Some(loan) = loan else {
        return Ok(0);
    };
    let (offset, bytes) = (loan.block().offset, loan.block().len);
    let area = loan.region().area(offset, bytes)?;
    let memory = hand_out(area.as_ptr(), bytes, Kept::Loan { _loan: loan });
    // SAFETY: as the caller promises.
    unsafe { put(out, memory) }?;
    Ok(1)
}

/// Before something is taken that only `out` can name.
pub(crate) fn not_null<T>(out: *mut T) -> Result<()> {
    if out.is_null() {
        return Err(argument("the place for a result", "no null pointer"));
    }
    Ok(())
}

/// Gives back what a token keeps, if it is of this kind.
fn give_back(token: u32, what: &'static str, is_loan: bool) -> Result<i32> {
    let mut tokens = tokens();
    let kept = match tokens.kept.get(&token) {
        Some(kept) if matches!(kept, Kept::Loan { .. }) == is_loan => tokens.kept.remove(&token),
        _ => None,
    };
    // Unmapping takes a while: not under the lock.
    drop(tokens);
    let number = token;
    match kept {
        Some(_) => Ok(0),
        None => Err(FfiError::Closed { what, number }),
    }
}

/// Gives back memory that was handed out under this token: `data` must not be used any more.
///
/// May be called on any thread, and after host or worker are closed. A token that was given back already, or is a loan's, is
/// `KNIT_ERROR_CLOSED`.
#[unsafe(no_mangle)]
pub extern "C" fn knit_memory_release(token: u32) -> i32 {
    guard(|| give_back(token, "memory", false))
}

/// Gives back a block that was handed out by `knit_host_hold_block`, `knit_worker_hold_block` or `knit_host_lend_block`: `data` must not be used
/// any more, and the block may hold another message soon. For a block that was taken over by `knit_host_take_over_block` or that a pool has
/// taken back meanwhile only the mapping is let go.
///
/// May be called on any thread, and after host or worker are closed. A token that was given back already, or is no loan's, is
/// `KNIT_ERROR_CLOSED`.
#[unsafe(no_mangle)]
pub extern "C" fn knit_loan_drop(token: u32) -> i32 {
    guard(|| give_back(token, "loan", true))
}

/// The same as either of them, as a finaliser of a runtime: `context` is the token as a pointer. What is given back already is passed over.
///
/// May be called on any thread. `data` is not looked at.
#[unsafe(no_mangle)]
pub extern "C" fn knit_finalize(data: *mut c_void, context: *mut c_void) {
    let _ = data;
    guard(|| {
        let Ok(token) = u32::try_from(context.addr()) else {
            return Ok(0);
        };
        let kept = tokens().kept.remove(&token);
        // Unmapping takes a while: the lock is free again.
        drop(kept);
        Ok(0)
    });
}

/// What `knit_finalizer` returns.
pub type Finalizer = extern "C" fn(data: *mut c_void, context: *mut c_void);

/// The address of `knit_finalize`, for runtimes that take one and cannot look it up.
///
/// May be called on any thread. Never fails.
#[unsafe(no_mangle)]
pub extern "C" fn knit_finalizer() -> Finalizer {
    knit_finalize
}
