//! The worker's functions. See `knit_sched::port` for the control block, and `knit_sched::Worker` for what each does.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use knit_sched::port::{Table, WorkerPort};
use knit_sched::{Shared, Worker};
use knit_shm::Words;
use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::bell::LoopBell;
use crate::error::{Error, Result, sched, unknown};
use crate::external::{show_loan, show_region, show_words};
use crate::host::locator;
#[cfg(target_os = "linux")]
use crate::poll::{Callback, LoopPoll};

struct Entry {
    port: WorkerPort,
    control: Arc<Words>,
    outbox: Arc<Words>,
    bell: Option<Arc<LoopBell>>,
    #[cfg(target_os = "linux")]
    poll: Option<LoopPoll>,
}

thread_local! {
    static WORKERS: RefCell<Table<Entry>> = const { RefCell::new(Table::new()) };
}

#[inline]
fn with<T>(handle: u32, use_it: impl FnOnce(&mut Entry) -> Result<T>) -> Result<T> {
    WORKERS.with_borrow_mut(|workers| {
        use_it(
            workers
                .get(handle)
                .ok_or_else(|| unknown("worker", handle))?,
        )
    })
}

/// Takes a place in the pool with that token, and returns the worker's number.
#[napi]
pub fn worker_attach(token: u32, index: u32, epoch: u32, steal: bool) -> Result<u32> {
    let shared = Shared::by_token(token).ok_or_else(|| {
        Error::new(
            "KNT_CLOSED",
            format!("there is no pool {token} in this process"),
        )
    })?;
    let worker = Worker::attach(shared, index as usize, epoch, steal).map_err(sched)?;
    let control = Words::new(WorkerPort::control_words() * 4);
    let entry = Entry {
        port: WorkerPort::new(worker),
        control,
        outbox: Words::new(0),
        bell: None,
        #[cfg(target_os = "linux")]
        poll: None,
    };
    Ok(WORKERS.with_borrow_mut(|workers| workers.insert(entry)))
}

/// Everything of the region but the block heaps, as an `ArrayBuffer`.
#[napi]
pub fn worker_front(env: Env, handle: u32) -> Result<Unknown<'static>> {
    with(handle, |entry| {
        let shared = entry.port.worker.shared();
        show_region(&env, shared.region(), 0, shared.layout().front_bytes())
    })
}

/// A block heap as an `ArrayBuffer`: 0 is the host's, `w + 1` worker `w`'s.
#[napi]
pub fn worker_heap(env: Env, handle: u32, heap: u32) -> Result<Unknown<'static>> {
    with(handle, |entry| {
        let shared = entry.port.worker.shared();
        let (offset, bytes) = shared.layout().heap(heap as usize).map_err(sched)?;
        show_region(&env, shared.region(), offset, bytes)
    })
}

/// The control block, as an `ArrayBuffer`.
#[napi]
pub fn worker_control(env: Env, handle: u32) -> Result<Unknown<'static>> {
    with(handle, |entry| show_words(&env, &entry.control))
}

/// Makes a buffer for replies of at least so many bytes, which begins with what the former one held, and returns it as an `ArrayBuffer`.
#[napi]
pub fn worker_outbox(env: Env, handle: u32, bytes: u32) -> Result<Unknown<'static>> {
    with(handle, |entry| {
        let outbox = Words::new(bytes as usize);
        // SAFETY: a native call on the thread whose JavaScript writes both.
        unsafe { outbox.copy_from(&entry.outbox) };
        entry.outbox = outbox;
        show_words(&env, &entry.outbox)
    })
}

/// Publishes the first `bytes` of the reply buffer, and claims calls, searching for at most `spin` microseconds. Returns how
/// many are in the control block, or -1 if the worker shall end.
#[napi]
pub fn worker_turn(handle: u32, bytes: u32, spin: u32) -> Result<i32> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript writes the buffer; the slice does not outlive it.
        let replies = unsafe { entry.outbox.bytes(bytes as usize) };
        // SAFETY: as above; the control block is another allocation, and this is its only slice.
        let control = unsafe { entry.control.words() };
        entry
            .port
            .turn(replies, Duration::from_micros(u64::from(spin)), control)
            .map_err(sched)
    })
}

/// Whether the worker still has its place, before it writes into its shape table.
#[napi]
pub fn worker_owns(handle: u32) -> Result<bool> {
    with(handle, |entry| Ok(entry.port.worker.owns_place()))
}

/// Sets how many nanoseconds the worker pauses between two looks while it searches.
#[napi]
pub fn worker_pause(handle: u32, nanoseconds: u32) -> Result<()> {
    with(handle, |entry| {
        let pause = Duration::from_nanos(u64::from(nanoseconds));
        entry.port.worker.set_pause(pause);
        Ok(())
    })
}

/// Publishes the first `bytes` of the reply buffer, and nothing else.
#[napi]
pub fn worker_publish(handle: u32, bytes: u32) -> Result<()> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript writes the buffer; the slice does not outlive it.
        let replies = unsafe { entry.outbox.bytes(bytes as usize) };
        entry.port.worker.publish(replies).map_err(sched)
    })
}

/// Announces that the worker goes to sleep. False if there is something to do first.
#[napi]
pub fn worker_arm(handle: u32) -> Result<bool> {
    with(handle, |entry| entry.port.worker.arm().map_err(sched))
}

/// Sets what wakes the worker's event loop after [`worker_arm`]. It keeps the loop alive until the worker is closed.
#[napi(ts_args_type = "handle: number, callback: () => void")]
pub fn worker_bell(env: Env, handle: u32, callback: Unknown<'_>) -> Result<()> {
    with(handle, |entry| {
        let bell = LoopBell::new(&env, &callback)?;
        bell.keep_loop_alive(&env, true)?;
        let worker = &entry.port.worker;
        worker
            .shared()
            .set_bell(Some(worker.index()), Some(bell.clone()))
            .map_err(sched)?;
        if let Some(former) = entry.bell.replace(bell) {
            former.close();
        }
        entry.port.hear_others().map_err(sched)?;
        #[cfg(target_os = "linux")]
        if let Some(poll) = entry.port.poll().map_err(sched)? {
            let callback = Callback::new(&env, &callback)?;
            if let Some(former) = &entry.poll {
                former.close();
            }
            entry.poll = LoopPoll::new(&env, callback, poll);
        }
        Ok(())
    })
}

/// Says whether this worker runs tasks that must hear of an abort while it sleeps: then an abort wakes it.
#[napi]
pub fn worker_watch(handle: u32, watches: bool) -> Result<()> {
    with(handle, |entry| {
        entry.port.worker.watch_aborts(watches);
        Ok(())
    })
}

/// Opens a block that a call names: its place and size are in the control block.
#[napi]
pub fn worker_open_block(handle: u32, low: u32, high: u32) -> Result<()> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript reads the block; this is its only slice.
        let control = unsafe { entry.control.words() };
        entry
            .port
            .open_block(locator(low, high), control)
            .map_err(sched)
    })
}

/// Shows the first `bytes` of such a block as an `ArrayBuffer` that gives the block back when it is collected. Null if it is not one to keep.
#[napi(ts_return_type = "ArrayBuffer | null")]
pub fn worker_hold_block(
    env: Env,
    handle: u32,
    low: u32,
    high: u32,
    bytes: u32,
) -> Result<Option<Unknown<'static>>> {
    with(handle, |entry| {
        let loan = entry
            .port
            .worker
            .hold_block(locator(low, high))
            .map_err(sched)?;
        loan.map(|loan| show_loan(&env, loan, bytes as usize))
            .transpose()
    })
}

/// Gives such a block back.
#[napi]
pub fn worker_close_block(handle: u32, low: u32, high: u32) -> Result<()> {
    with(handle, |entry| {
        entry
            .port
            .worker
            .close_block(locator(low, high))
            .map_err(sched)
    })
}

/// Allocates a block to be sent with a reply: its place, size and name are in the control block. False if there is no room.
#[napi]
pub fn worker_alloc_block(handle: u32, bytes: u32) -> Result<bool> {
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
pub fn worker_free_block(handle: u32, low: u32, high: u32) -> Result<()> {
    with(handle, |entry| {
        entry
            .port
            .worker
            .free_block(locator(low, high))
            .map_err(sched)
    })
}

/// Gives the pages back that no large payload is in.
#[napi]
pub fn worker_trim(handle: u32) -> Result<()> {
    with(handle, |entry| entry.port.worker.trim().map_err(sched))
}

/// Lets go of the worker.
#[napi]
pub fn worker_close(handle: u32) {
    let entry = WORKERS.with_borrow_mut(|workers| workers.remove(handle));
    let Some(entry) = entry else { return };
    #[cfg(target_os = "linux")]
    if let Some(poll) = &entry.poll {
        poll.close();
    }
    if let Some(bell) = &entry.bell {
        bell.close();
    }
}
