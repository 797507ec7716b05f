//! The host's functions. See `knit_sched::port` for the control block, and `knit_sched::Host` for what each does.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use knit_perm::border::Sandbox;
use knit_sched::port::{HostPort, Table};
use knit_sched::{AbortSlot, Config, Host, HostOptions, Strategy};
use knit_shm::Words;
use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::bell::LoopBell;
use crate::error::{Result, sched, unknown};
use crate::external::{show_loan, show_region, show_words};

pub(crate) struct Entry {
    pub(crate) port: HostPort,
    control: Arc<Words>,
    outbox: Arc<Words>,
    /// Made when it is first asked for.
    figures: Option<Arc<Words>>,
    bell: Option<Arc<LoopBell>>,
    /// Put on every process that is started.
    pub(crate) sandbox: Option<Sandbox>,
}

thread_local! {
    static HOSTS: RefCell<Table<Entry>> = const { RefCell::new(Table::new()) };
}

#[inline]
pub(crate) fn with<T>(handle: u32, use_it: impl FnOnce(&mut Entry) -> Result<T>) -> Result<T> {
    HOSTS.with_borrow_mut(|hosts| use_it(hosts.get(handle).ok_or_else(|| unknown("pool", handle))?))
}

/// Makes a pool's memory and returns its host's number.
#[napi]
pub fn host_create(
    workers: u32,
    steal: bool,
    arena_bytes: u32,
    abort_slots: u32,
    spin_microseconds: i32,
    balancer: u32,
    alone: bool,
) -> Result<u32> {
    let mut options = HostOptions {
        steal,
        // An unknown number is the default's: the names were checked before.
        balancer: Strategy::ALL
            .get(balancer as usize)
            .copied()
            .unwrap_or_default(),
        alone,
        ..HostOptions::default()
    };
    options.config = Config {
        workers: workers as usize,
        arena_bytes,
        abort_slots,
        ..options.config
    };
    if let Ok(microseconds) = u64::try_from(spin_microseconds) {
        options.spin = Duration::from_micros(microseconds);
    }
    let port = HostPort::new(Host::create(options).map_err(sched)?);
    let control = Words::new(port.control_words() * 4);
    let entry = Entry {
        port,
        control,
        outbox: Words::new(0),
        figures: None,
        bell: None,
        sandbox: None,
    };
    Ok(HOSTS.with_borrow_mut(|hosts| hosts.insert(entry)))
}

/// The number by which worker threads of this process find the pool.
#[napi]
pub fn host_token(handle: u32) -> Result<u32> {
    with(handle, |entry| Ok(entry.port.host.shared().token()))
}

/// Everything of the region but the block heaps, as an `ArrayBuffer`.
#[napi]
pub fn host_front(env: Env, handle: u32) -> Result<Unknown<'static>> {
    with(handle, |entry| {
        let shared = entry.port.host.shared();
        show_region(&env, shared.region(), 0, shared.layout().front_bytes())
    })
}

/// A block heap as an `ArrayBuffer`: 0 is the host's, `w + 1` worker `w`'s.
#[napi]
pub fn host_heap(env: Env, handle: u32, heap: u32) -> Result<Unknown<'static>> {
    with(handle, |entry| {
        let shared = entry.port.host.shared();
        let (offset, bytes) = shared.layout().heap(heap as usize).map_err(sched)?;
        show_region(&env, shared.region(), offset, bytes)
    })
}

/// The control block, as an `ArrayBuffer`.
#[napi]
pub fn host_control(env: Env, handle: u32) -> Result<Unknown<'static>> {
    with(handle, |entry| show_words(&env, &entry.control))
}

/// Makes a submission buffer of at least so many bytes, which begins with what the former one held, and returns it as an `ArrayBuffer`.
#[napi]
pub fn host_outbox(env: Env, handle: u32, bytes: u32) -> Result<Unknown<'static>> {
    with(handle, |entry| {
        let outbox = Words::new(bytes as usize);
        // SAFETY: a native call on the thread whose JavaScript writes both.
        unsafe { outbox.copy_from(&entry.outbox) };
        entry.outbox = outbox;
        show_words(&env, &entry.outbox)
    })
}

/// Hands over the first `bytes` of the submission buffer, then looks for replies for at most `spin` microseconds. Returns the number of
/// spans in the control block.
#[napi]
pub fn host_turn(handle: u32, bytes: u32, spin: u32) -> Result<u32> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript writes the buffer; the slice does not outlive it.
        let submitted = unsafe { entry.outbox.bytes(bytes as usize) };
        // SAFETY: as above; the control block is another allocation, and this is its only slice.
        let control = unsafe { entry.control.words() };
        entry
            .port
            .turn(submitted, Duration::from_micros(u64::from(spin)), control)
            .map_err(sched)
    })
}

/// Hands over the first `bytes` of the submission buffer, and nothing else.
#[napi]
pub fn host_submit(handle: u32, bytes: u32) -> Result<()> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript writes the buffer; the slice does not outlive it.
        let submitted = unsafe { entry.outbox.bytes(bytes as usize) };
        entry.port.host.submit(submitted).map_err(sched)
    })
}

/// Announces that the host goes to sleep. False if there is something to do first.
#[napi]
pub fn host_arm(handle: u32) -> Result<bool> {
    with(handle, |entry| entry.port.host.arm().map_err(sched))
}

/// Sets what wakes the host's event loop after [`host_arm`].
#[napi(ts_args_type = "handle: number, callback: () => void")]
pub fn host_bell(env: Env, handle: u32, callback: Unknown<'_>) -> Result<()> {
    with(handle, |entry| {
        let bell = LoopBell::new(&env, &callback)?;
        entry
            .port
            .host
            .shared()
            .set_bell(None, Some(bell.clone()))
            .map_err(sched)?;
        if let Some(former) = entry.bell.replace(bell) {
            former.close();
        }
        Ok(())
    })
}

/// Whether the bell keeps the event loop from ending.
#[napi]
pub fn host_keep_alive(env: Env, handle: u32, alive: bool) -> Result<()> {
    with(handle, |entry| {
        entry
            .bell
            .as_ref()
            .map_or(Ok(()), |bell| bell.keep_loop_alive(&env, alive))
    })
}

/// Opens a place for a worker and returns its epoch.
#[napi]
pub fn host_begin(handle: u32, worker: u32) -> Result<u32> {
    with(handle, |entry| {
        entry.port.host.begin(worker as usize).map_err(sched)
    })
}

/// Asks a worker to end.
#[napi]
pub fn host_stop(handle: u32, worker: u32) -> Result<()> {
    with(handle, |entry| {
        entry.port.host.stop(worker as usize).map_err(sched)
    })
}

/// Wakes every worker that sleeps: there is something for it beside the rings.
#[napi]
pub fn host_rouse(handle: u32) -> Result<()> {
    with(handle, |entry| {
        entry.port.host.rouse();
        Ok(())
    })
}

/// Settles a worker's death; returns the calls that it had taken.
#[napi]
pub fn host_retire(handle: u32, worker: u32) -> Result<Vec<u32>> {
    with(handle, |entry| {
        entry.port.retire(worker as usize).map_err(sched)
    })
}

/// Gives the calls that wait in a dead worker's lane to others.
#[napi]
pub fn host_evacuate(handle: u32, worker: u32) -> Result<()> {
    with(handle, |entry| {
        entry.port.host.evacuate(worker as usize).map_err(sched)
    })
}

/// Takes an abort slot for a call; its ticket is what its word says then. -1 if all are in use.
#[napi]
pub fn host_take_abort(handle: u32) -> Result<i32> {
    with(handle, |entry| {
        let slot = entry.port.host.take_abort_slot();
        Ok(slot.map_or(-1, |taken| taken.slot as i32))
    })
}

/// Aborts the call that has this slot and wakes the workers that watch. False if no call has it under that ticket any more.
#[napi]
pub fn host_abort(handle: u32, slot: u32, ticket: u32) -> Result<bool> {
    with(handle, |entry| {
        Ok(entry.port.host.abort(AbortSlot { slot, ticket }))
    })
}

/// Takes back the slot of a call that is over. False if no call has it under that ticket.
#[napi]
pub fn host_release_abort(handle: u32, slot: u32, ticket: u32) -> Result<bool> {
    with(handle, |entry| {
        let slot = AbortSlot { slot, ticket };
        Ok(entry.port.host.release_abort_slot(slot))
    })
}

/// Gives a call a deadline, so many milliseconds from now.
#[napi]
pub fn host_deadline(handle: u32, call: u32, generation: u32, milliseconds: u32) -> Result<()> {
    with(handle, |entry| {
        let after = Duration::from_millis(u64::from(milliseconds));
        entry.port.host.schedule(call, generation, after);
        Ok(())
    })
}

/// Takes a call's deadline away. False if it has none.
#[napi]
pub fn host_cancel_deadline(handle: u32, call: u32) -> Result<bool> {
    with(handle, |entry| Ok(entry.port.host.cancel_deadline(call)))
}

/// Milliseconds until something may expire, rounded up; -1 if nothing waits.
#[napi]
pub fn host_next_deadline(handle: u32) -> Result<i32> {
    with(handle, |entry| {
        let next = entry.port.host.next_deadline();
        // Longer than 24 days: the timer fires before, and is armed again.
        let milliseconds = |after: Duration| after.as_micros().div_ceil(1000);
        Ok(next.map_or(-1, |after| {
            i32::try_from(milliseconds(after)).unwrap_or(i32::MAX)
        }))
    })
}

/// Takes calls whose deadlines have passed: number and generation of each are in the control block. Returns how many; there may be more
/// unless it is 0.
#[napi]
pub fn host_expire(handle: u32) -> Result<u32> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript reads the block; this is its only slice.
        let control = unsafe { entry.control.words() };
        Ok(entry.port.expire(control))
    })
}

/// Removes a call that no worker has taken, handed over or not: it never runs, and its number is free. False if it is too late.
#[napi]
pub fn host_cancel(handle: u32, call: u32, generation: u32) -> Result<bool> {
    with(handle, |entry| {
        entry.port.host.cancel(call, generation).map_err(sched)
    })
}

/// Calls that were handed over and that no worker has taken yet.
#[napi]
pub fn host_queued(handle: u32) -> Result<u32> {
    with(handle, |entry| {
        let queued = entry.port.host.queued().map_err(sched)?;
        Ok(u32::try_from(queued).unwrap_or(u32::MAX))
    })
}

/// The block of figures, as an `ArrayBuffer`: a row for the pool, then one for each worker.
#[napi]
pub fn host_figures(env: Env, handle: u32) -> Result<Unknown<'static>> {
    with(handle, |entry| {
        let port = &entry.port;
        let figures = entry
            .figures
            .get_or_insert_with(|| Words::new(port.figures_bytes()));
        show_words(&env, figures)
    })
}

/// Brings the block of figures up to date.
#[napi]
pub fn host_measure(handle: u32) -> Result<()> {
    with(handle, |entry| {
        let Some(figures) = &entry.figures else {
            return Ok(());
        };
        // SAFETY: a native call on the thread whose JavaScript reads the block; this is its only slice.
        let figures = unsafe { figures.numbers() };
        entry.port.measure(figures).map_err(sched)
    })
}

/// Milliseconds since a worker claimed what it runs now; the call is in the control block. -1 if it runs nothing.
#[napi]
pub fn host_running(handle: u32, worker: u32) -> Result<f64> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript reads the block; this is its only slice.
        let control = unsafe { entry.control.words() };
        let running = entry.port.running(worker as usize, control);
        Ok(running
            .map_err(sched)?
            .map_or(-1.0, |since| since as f64 / 1000.0))
    })
}

/// How many turns a worker has taken, wrapping.
#[napi]
pub fn host_turns(handle: u32, worker: u32) -> Result<u32> {
    with(handle, |entry| {
        entry.port.host.turns(worker as usize).map_err(sched)
    })
}

/// Wakes a worker if it sleeps, so that it takes a turn.
#[napi]
pub fn host_nudge(handle: u32, worker: u32) -> Result<()> {
    with(handle, |entry| {
        entry.port.host.nudge(worker as usize).map_err(sched)
    })
}

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

/// Lets go of the host. Its memory stays for as long as buffers or worker threads use it.
#[napi]
pub fn host_close(handle: u32) {
    let entry = HOSTS.with_borrow_mut(|hosts| hosts.remove(handle));
    if let Some(bell) = entry.and_then(|entry| entry.bell) {
        bell.close();
    }
}

/// The two words of a locator as one.
pub(crate) fn locator(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
