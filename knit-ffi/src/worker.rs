//! The worker: taking a place, the turn, sleeping. See `knit_sched::Worker` for what each does, and `abi` for the control block.
//!
//! One thread owns a worker and calls, over and over:
//!
//! 1. [`knit_worker_turn`]: it publishes what was written into the reply buffer (`KNIT_MEMORY_OUTBOX`), and claims calls. Their payloads are in the
//!    front, where the control block says, each behind its `struct knit_frame`; they stay there until the next turn.
//! 2. It runs them, and writes for each an answer into the reply buffer: the call's header with another kind and length, and the result.
//! 3. Nothing to run: [`knit_worker_wait`], or [`knit_worker_arm`] and the sleep of its own event loop, which its bell ends.

use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use knit_sched::port::{STOP, Table, WorkerPort};
use knit_sched::{Shared, Worker};
use knit_shm::Words;

use crate::abi::{KNIT_MEMORY_CONTROL, KNIT_MEMORY_OUTBOX, KNIT_STOP, Memory, Place};
use crate::bell::{OwnBell, Ring, any_rung};
use crate::error::{FfiError, Result, argument, guard, put};
use crate::host::{filled, limit};
use crate::memory::{not_null, show_region, show_words};
use crate::options::flag;

pub(crate) struct Entry {
    bell: OwnBell,
    pub(crate) port: WorkerPort,
    control: Arc<Words>,
    outbox: Arc<Words>,
}

impl Entry {
    /// Runs something that leaves results in the control block.
    pub(crate) fn controlled<T>(
        &mut self,
        run: impl FnOnce(&mut WorkerPort, &mut [u32]) -> T,
    ) -> T {
        // SAFETY: in a call on the thread whose program reads the block; this is its only slice.
        let control = unsafe { self.control.words() };
        run(&mut self.port, control)
    }
}

thread_local! {
    static WORKERS: RefCell<Table<Entry>> = const { RefCell::new(Table::new()) };
}

/// This thread is a worker no longer.
pub(crate) fn leave() {
    // They have gone already, if the storage has.
    let workers = WORKERS.try_with(|workers| workers.replace(Table::new()));
    drop(workers);
}

fn unknown(number: u32) -> FfiError {
    FfiError::Closed {
        what: "worker",
        number,
    }
}

/// Runs something with this thread's workers.
#[inline]
fn workers<T>(handle: u32, run: impl FnOnce(&mut Table<Entry>) -> Result<T>) -> Result<T> {
    WORKERS
        .try_with(|workers| match workers.try_borrow_mut() {
            Ok(mut workers) => run(&mut workers),
            Err(_) => Err(FfiError::Busy),
        })
        // The thread is ending: it has no workers any more.
        .unwrap_or_else(|_| Err(unknown(handle)))
}

/// Runs what a function of the border does to a worker.
#[inline]
pub(crate) fn with(handle: u32, run: impl FnOnce(&mut Entry) -> Result<i32>) -> i32 {
    guard(|| {
        workers(handle, |workers| {
            run(workers.get(handle).ok_or_else(|| unknown(handle))?)
        })
    })
}

/// Takes a place that a host has opened. `*worker` becomes the handle, valid on this thread until `knit_worker_close`.
///
/// `place` is the caller's, read at once: for a thread of the host's process filled from `knit_host_token` and `knit_host_begin`, in a
/// worker process by `knit_process_join`. Errors: there is no such pool here, the place is not open for that epoch.
///
/// # Safety
/// `place` is null, which is refused, or may be read. `worker` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_worker_attach(place: *const Place, worker: *mut u32) -> i32 {
    guard(|| {
        not_null(worker)?;
        if place.is_null() {
            return Err(argument("place", "no null pointer"));
        }
        // SAFETY: not null, and as the caller promises. Unaligned, as an array of words may be given.
        let place = unsafe { place.read_unaligned() };
        let steal = flag("place.steal", place.steal)?;
        let shared = Shared::by_token(place.token).ok_or(FfiError::Closed {
            what: "pool",
            number: place.token,
        })?;
        let index = place.index as usize;
        let attached = Worker::attach(shared.clone(), index, place.epoch, steal)?;
        // The former worker of this place may have left its bell there, and this one may sleep without any.
        shared.set_bell(Some(index), None)?;
        let entry = Entry {
            bell: OwnBell::default(),
            port: WorkerPort::new(attached),
            control: Words::new(WorkerPort::control_words() * 4),
            outbox: Words::new(0),
        };
        let handle = workers(0, |workers| Ok(workers.insert(entry)))?;
        // SAFETY: as the caller promises.
        unsafe { put(worker, handle) }.map(|()| 0)
    })
}

/// Hands out memory of a worker: `which` is a `KNIT_MEMORY_*` other than the figures. `*memory` is good until its token is given to
/// `knit_memory_release`, on any thread, also after the worker is closed. Each call gives a token of its own.
///
/// # Safety
/// `memory` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_worker_memory(worker: u32, which: u32, memory: *mut Memory) -> i32 {
    with(worker, |entry| {
        let words = match which {
            KNIT_MEMORY_CONTROL => &entry.control,
            KNIT_MEMORY_OUTBOX => &entry.outbox,
            _ => {
                let shared = entry.port.worker.shared();
                // SAFETY: as the caller promises.
                unsafe { show_region(shared.region(), shared.layout(), which, memory) }?;
                return Ok(0);
            }
        };
        // SAFETY: as the caller promises.
        unsafe { show_words(words, memory) }.map(|()| 0)
    })
}

/// Makes a reply buffer of `bytes` or more, which begins with what the former one held, and hands it out as `knit_worker_memory` does. From now on this
/// one is read; the former stays until its token is given back.
///
/// # Safety
/// `memory` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_worker_outbox(worker: u32, bytes: u32, memory: *mut Memory) -> i32 {
    with(worker, |entry| {
        let outbox = Words::new(bytes as usize);
        // SAFETY: in a call on the thread whose program writes both.
        unsafe { outbox.copy_from(&entry.outbox) };
        // SAFETY: as the caller promises.
        unsafe { show_words(&outbox, memory) }?;
        entry.outbox = outbox;
        Ok(0)
    })
}

/// Publishes the first `bytes` of the reply buffer, and claims calls, searching for at most `spin` microseconds.
///
/// Returns how many calls are in the control block, 0 if there are none at present, or `KNIT_STOP` if the worker shall end. Errors: a damaged frame in
/// the buffer (nothing after it was published), damaged memory.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_turn(worker: u32, bytes: u32, spin: u32) -> i32 {
    with(worker, |entry| {
        // SAFETY: in a call on the thread whose program writes the buffer; the slice does not outlive it.
        let replies = unsafe { filled(&entry.outbox, bytes) }?;
        // SAFETY: as above; the control block is another allocation, and this is its only slice.
        let control = unsafe { entry.control.words() };
        let mut spin = Duration::from_micros(u64::from(spin));
        let mut replies = replies;
        if entry.bell.is_notes() && !replies.is_empty() {
            // A note is delivered when this returns: whoever it is for must not wait for the end of the search.
            entry.port.worker.publish(replies)?;
            replies = &[];
            if any_rung() {
                spin = Duration::ZERO;
            }
        }
        let claimed = entry.port.turn(replies, spin, control)?;
        Ok(if claimed == STOP { KNIT_STOP } else { claimed })
    })
}

/// Whether the worker still has its place (1), or its host has settled its death while it lived on (0): to be asked before it writes anything into the
/// pool's memory itself.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_owns(worker: u32) -> i32 {
    with(worker, |entry| {
        Ok(i32::from(entry.port.worker.owns_place()))
    })
}

/// Sets how many nanoseconds the worker pauses between two looks while `knit_worker_turn` searches; none unless this is called.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_pause(worker: u32, nanoseconds: u32) -> i32 {
    with(worker, |entry| {
        let pause = Duration::from_nanos(u64::from(nanoseconds));
        entry.port.worker.set_pause(pause);
        Ok(0)
    })
}

/// Publishes the first `bytes` of the reply buffer, and nothing else: for what becomes ready between turns. Errors as `knit_worker_turn`.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_publish(worker: u32, bytes: u32) -> i32 {
    with(worker, |entry| {
        // SAFETY: in a call on the thread whose program writes the buffer; the slice does not outlive it.
        let replies = unsafe { filled(&entry.outbox, bytes) }?;
        entry.port.worker.publish(replies)?;
        Ok(0)
    })
}

/// Sleeps until there may be something to do or `milliseconds` are over; negative: without limit. The next turn tells.
///
/// For workers without an event loop: with a bell it is `KNIT_ERROR_ARGUMENT`, because the bell would be rung instead.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_wait(worker: u32, milliseconds: i32) -> i32 {
    with(worker, |entry| {
        if entry.bell.is_set() {
            return Err(argument("a worker that waits", "one without a bell"));
        }
        entry.port.worker.wait(limit(milliseconds))?;
        Ok(0)
    })
}

/// Announces that the worker goes to sleep in its event loop. 1: its bell will be rung when there is something to do. 0: there is something to do
/// first.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_arm(worker: u32) -> i32 {
    with(worker, |entry| Ok(i32::from(entry.port.worker.arm()?)))
}

/// Sets what wakes the worker after `knit_worker_arm`, or with a null `ring` that nothing does.
///
/// `context` is the caller's and must stay good until this returns for another bell, or the worker is closed: from then on `ring` is not called
/// any more. `ring` is called on any thread; see `Ring`.
///
/// # Safety
/// `ring` may be called with `context`, as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_worker_bell(worker: u32, ring: Ring, context: *mut c_void) -> i32 {
    with(worker, |entry| {
        let shared = entry.port.worker.shared().clone();
        let index = entry.port.worker.index();
        entry.bell.set(&shared, Some(index), ring, context)?;
        entry.port.hear_others()?;
        Ok(0)
    })
}

/// Has the worker's rings noted on the lists of the threads that ring, as `knit_host_notes` does.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_notes(worker: u32, pool: u32) -> i32 {
    with(worker, |entry| {
        let shared = entry.port.worker.shared().clone();
        let index = entry.port.worker.index();
        entry.bell.note(&shared, Some(index), pool)?;
        Ok(0)
    })
}

/// Says whether this worker runs tasks that must hear of an abort while it sleeps (1) or not (0): then an abort wakes it.
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_watch(worker: u32, watches: u32) -> i32 {
    with(worker, |entry| {
        let watches = flag("watches", watches)?;
        entry.port.worker.watch_aborts(watches);
        Ok(0)
    })
}

/// Lets go of the worker. What was handed out stays until its token is given back. The bell is not rung any more when this returns. The host learns of
/// it only when the thread or process is reported to it as ended (`knit_host_retire`).
#[unsafe(no_mangle)]
pub extern "C" fn knit_worker_close(worker: u32) -> i32 {
    guard(|| {
        let entry = workers(worker, |workers| {
            workers.remove(worker).ok_or_else(|| unknown(worker))
        })?;
        // Dropped outside the table: what it ends may ring bells here.
        drop(entry);
        Ok(0)
    })
}
