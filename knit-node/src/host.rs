//! The host's functions. See `knit_sched::port` for the control block, and `knit_sched::Host` for what each does.

use std::cell::RefCell;
#[cfg(target_os = "linux")]
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use knit_perm::border::Sandbox;
use knit_sched::port::{HostPort, Table};
use knit_sched::{Config, Host, HostOptions, Strategy};
use knit_shm::Words;
use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::bell::LoopBell;
use crate::error::{Result, sched, unknown};
use crate::external::{show_window, show_words};
#[cfg(target_os = "linux")]
use crate::poll::{Callback, LoopPoll};

pub(crate) struct Entry {
    pub(crate) port: HostPort,
    pub(crate) control: Arc<Words>,
    outbox: Arc<Words>,
    /// Made when it is first asked for.
    pub(crate) figures: Option<Arc<Words>>,
    bell: Option<Arc<LoopBell>>,
    /// What the bell calls, and worker processes once there is one.
    #[cfg(target_os = "linux")]
    callback: Option<Rc<Callback>>,
    #[cfg(target_os = "linux")]
    poll: Option<LoopPoll>,
    /// Put on every process that is started.
    pub(crate) sandbox: Option<Sandbox>,
}

thread_local! {
    static HOSTS: RefCell<Table<Entry>> = const { RefCell::new(Table::new()) };
}

#[cfg(target_os = "linux")]
impl Entry {
    /// Lets worker processes ring the event loop without a thread between. Nothing before there is one.
    pub(crate) fn hear_processes(&mut self, env: &Env) -> Result<()> {
        if let (None, Some(callback)) = (&self.poll, &self.callback) {
            let poll = self.port.poll().map_err(sched)?;
            self.poll = poll.and_then(|poll| LoopPoll::new(env, callback.clone(), poll));
        }
        Ok(())
    }
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
        #[cfg(target_os = "linux")]
        callback: None,
        #[cfg(target_os = "linux")]
        poll: None,
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
        show_window(&env, shared.region(), 0, shared.layout().front_bytes())
    })
}

/// A block heap as an `ArrayBuffer`: 0 is the host's, `w + 1` worker `w`'s.
#[napi]
pub fn host_heap(env: Env, handle: u32, heap: u32) -> Result<Unknown<'static>> {
    with(handle, |entry| {
        let shared = entry.port.host.shared();
        let (offset, bytes) = shared.layout().heap(heap as usize).map_err(sched)?;
        show_window(&env, shared.region(), offset, bytes)
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
        #[cfg(target_os = "linux")]
        {
            let former = entry.callback.replace(Callback::new(&env, &callback)?);
            former.inspect(|former| former.release());
            entry.poll.take().inspect(LoopPoll::close);
            entry.hear_processes(&env)?;
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

/// Lets go of the host. Its memory stays for as long as buffers or worker threads use it.
#[napi]
pub fn host_close(handle: u32) {
    let Some(entry) = HOSTS.with_borrow_mut(|hosts| hosts.remove(handle)) else {
        return;
    };
    #[cfg(target_os = "linux")]
    {
        if let Some(poll) = &entry.poll {
            poll.close();
        }
        if let Some(callback) = &entry.callback {
            callback.release();
        }
    }
    if let Some(bell) = &entry.bell {
        bell.close();
    }
}

/// The two words of a locator as one.
pub(crate) fn locator(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
