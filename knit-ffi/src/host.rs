//! The host: making a pool, the turn, sleeping. See `knit_sched::Host` for what each does, and `abi` for the
//! control block.
//!
//! One thread owns a host and calls, over and over:
//!
//! 1. It writes frames into its submission buffer (`KNIT_MEMORY_OUTBOX`), each padded to `KNIT_FRAME_GRANULE`.
//! 2. [`knit_host_turn`] hands them over and looks for replies, whose spans are in the control block.
//! 3. Nothing there: [`knit_host_wait`], or [`knit_host_arm`] and the sleep of its own event loop, which its bell ends.

use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use knit_perm::border::Sandbox;
use knit_sched::Host;
use knit_sched::port::{HostPort, Table};
use knit_shm::Words;

use crate::abi::{KNIT_MEMORY_CONTROL, KNIT_MEMORY_FIGURES, KNIT_MEMORY_OUTBOX, Memory, Options};
use crate::bell::{OwnBell, Ring};
use crate::error::{FfiError, Result, argument, count, guard, put};
use crate::memory::{not_null, show_region, show_words};

pub(crate) struct Entry {
    /// Before the port: a worker process that ends with it rings no more.
    bell: OwnBell,
    pub(crate) port: HostPort,
    control: Arc<Words>,
    outbox: Arc<Words>,
    figures: Arc<Words>,
    /// Calls that a dead worker had taken and that were not told yet.
    pub(crate) retired: Vec<u32>,
    /// The end of a process that did not fit where it was to be told.
    pub(crate) exit: Option<String>,
    /// Put on every process that is started.
    pub(crate) sandbox: Option<Sandbox>,
}

impl Entry {
    /// Runs something that leaves results in the control block.
    pub(crate) fn controlled<T>(&mut self, run: impl FnOnce(&mut HostPort, &mut [u32]) -> T) -> T {
        // SAFETY: in a call on the thread whose program reads the block; this is its only slice.
        let control = unsafe { self.control.words() };
        run(&mut self.port, control)
    }

    /// Runs something that fills the figures.
    pub(crate) fn measured<T>(&mut self, run: impl FnOnce(&mut HostPort, &mut [f64]) -> T) -> T {
        // SAFETY: in a call on the thread whose program reads the block; this is its only slice.
        let figures = unsafe { self.figures.numbers() };
        run(&mut self.port, figures)
    }
}

thread_local! {
    static HOSTS: RefCell<Table<Entry>> = const { RefCell::new(Table::new()) };
}

fn unknown(number: u32) -> FfiError {
    FfiError::Closed {
        what: "host",
        number,
    }
}

/// Runs something with this thread's hosts.
#[inline]
fn hosts<T>(handle: u32, run: impl FnOnce(&mut Table<Entry>) -> Result<T>) -> Result<T> {
    HOSTS
        .try_with(|hosts| match hosts.try_borrow_mut() {
            Ok(mut hosts) => run(&mut hosts),
            Err(_) => Err(FfiError::Busy),
        })
        // The thread is ending: it has no hosts any more.
        .unwrap_or_else(|_| Err(unknown(handle)))
}

/// Runs what a function of the border does to a host.
#[inline]
pub(crate) fn with(handle: u32, run: impl FnOnce(&mut Entry) -> Result<i32>) -> i32 {
    guard(|| {
        hosts(handle, |hosts| {
            run(hosts.get(handle).ok_or_else(|| unknown(handle))?)
        })
    })
}

/// Milliseconds as a limit; negative is none.
pub(crate) fn limit(milliseconds: i32) -> Option<Duration> {
    u64::try_from(milliseconds).ok().map(Duration::from_millis)
}

/// Makes a pool's memory and its host. Every place in it is still empty: see `knit_host_begin`.
///
/// `options` is the caller's, read at once, and null for the defaults. `*host` becomes the handle, valid on this thread until
/// `knit_host_close`. Errors: an option outside its limits, no memory.
///
/// # Safety
/// `options` is null, or `options->size` bytes long. `host` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_create(options: *const Options, host: *mut u32) -> i32 {
    guard(|| {
        not_null(host)?;
        // SAFETY: as the caller promises.
        let options = unsafe { Options::read(options) }?;
        let port = HostPort::new(Host::create(options.for_host()?)?);
        let entry = Entry {
            bell: OwnBell::default(),
            control: Words::new(port.control_words() * 4),
            outbox: Words::new(0),
            figures: Words::new(port.figures_bytes()),
            retired: Vec::new(),
            exit: None,
            sandbox: None,
            port,
        };
        let handle = hosts(0, |hosts| Ok(hosts.insert(entry)))?;
        // SAFETY: as the caller promises.
        unsafe { put(host, handle) }.map(|()| 0)
    })
}

/// Says by which number threads of this process find the pool: the `token` of `struct knit_place`. `*token` is good on all threads for as long as the
/// pool has a host or a worker here.
///
/// # Safety
/// `token` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_token(host: u32, token: *mut u32) -> i32 {
    with(host, |entry| {
        not_null(token)?;
        // SAFETY: as the caller promises.
        unsafe { put(token, entry.port.host.shared().token()) }.map(|()| 0)
    })
}

/// Hands out memory of a host: `which` is a `KNIT_MEMORY_*`. `*memory` is good until its token is given to `knit_memory_release`, on any
/// thread, also after the host is closed. Each call gives a token of its own.
///
/// # Safety
/// `memory` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_memory(host: u32, which: u32, memory: *mut Memory) -> i32 {
    with(host, |entry| {
        let words = match which {
            KNIT_MEMORY_CONTROL => &entry.control,
            KNIT_MEMORY_OUTBOX => &entry.outbox,
            KNIT_MEMORY_FIGURES => &entry.figures,
            _ => {
                let shared = entry.port.host.shared();
                // SAFETY: as the caller promises.
                unsafe { show_region(shared.region(), shared.layout(), which, memory) }?;
                return Ok(0);
            }
        };
        // SAFETY: as the caller promises.
        unsafe { show_words(words, memory) }.map(|()| 0)
    })
}

/// Makes a submission buffer of `bytes` or more, which begins with what the former one held, and hands it out as `knit_host_memory` does. From now on
/// this one is read; the former stays until its token is given back.
///
/// # Safety
/// `memory` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_outbox(host: u32, bytes: u32, memory: *mut Memory) -> i32 {
    with(host, |entry| {
        let outbox = Words::new(bytes as usize);
        // SAFETY: in a call on the thread whose program writes both.
        unsafe { outbox.copy_from(&entry.outbox) };
        // SAFETY: as the caller promises.
        unsafe { show_words(&outbox, memory) }?;
        entry.outbox = outbox;
        Ok(0)
    })
}

/// The first bytes of a buffer of frames.
///
/// # Safety
/// As [`Words::bytes`].
pub(crate) unsafe fn filled(outbox: &Words, bytes: u32) -> Result<&[u8]> {
    if bytes as usize > outbox.len() {
        return Err(argument("bytes", "no more than the buffer of frames has"));
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { outbox.bytes(bytes as usize) })
}

/// Hands over the first `bytes` of the submission buffer, then looks for replies for at most `spin` microseconds.
///
/// Returns how many spans of replies are in the control block. They are whole frames, to be read in place (`KNIT_MEMORY_FRONT`) until the next
/// turn, submission, arming or wait. Errors: a damaged frame in the buffer (nothing after it was handed over), damaged memory.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_turn(host: u32, bytes: u32, spin: u32) -> i32 {
    with(host, |entry| {
        // SAFETY: in a call on the thread whose program writes the buffer; the slice does not outlive it.
        let submitted = unsafe { filled(&entry.outbox, bytes) }?;
        // SAFETY: as above; the control block is another allocation, and this is its only slice.
        let control = unsafe { entry.control.words() };
        let spin = Duration::from_micros(u64::from(spin));
        let spans = entry.port.turn(submitted, spin, control)?;
        Ok(count(spans as usize))
    })
}

/// Hands over the first `bytes` of the submission buffer, and nothing else. Errors as `knit_host_turn`.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_submit(host: u32, bytes: u32) -> i32 {
    with(host, |entry| {
        // SAFETY: in a call on the thread whose program writes the buffer; the slice does not outlive it.
        let submitted = unsafe { filled(&entry.outbox, bytes) }?;
        entry.port.host.submit(submitted)?;
        Ok(0)
    })
}

/// Sleeps until there are replies or `milliseconds` are over; negative: without limit. Returns spans of replies, as `knit_host_turn`: 0 if the time was
/// over first, or there was a call to look after something else.
///
/// For hosts without an event loop: with a bell it is `KNIT_ERROR_ARGUMENT`, because the bell would be rung instead. Nothing tells a sleeping
/// host here that a worker has died: sleep with a limit, and look.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_wait(host: u32, milliseconds: i32) -> i32 {
    with(host, |entry| {
        if entry.bell.is_set() {
            return Err(argument("a host that waits", "one without a bell"));
        }
        let timeout = limit(milliseconds);
        let spans = entry.controlled(|port, control| port.wait(timeout, control))?;
        Ok(count(spans as usize))
    })
}

/// Announces that the host goes to sleep in its event loop. 1: its bell will be rung when there are replies, or room if calls wait for some. 0:
/// there is something to do first.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_arm(host: u32) -> i32 {
    with(host, |entry| Ok(i32::from(entry.port.host.arm()?)))
}

/// Sets what wakes the host after `knit_host_arm`, or with a null `ring` that nothing does.
///
/// `context` is the caller's and must stay good until this returns for another bell, or the host is closed: from then on `ring` is not called any
/// more. `ring` is called on any thread; see `Ring`.
///
/// # Safety
/// `ring` may be called with `context`, as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_host_bell(host: u32, ring: Ring, context: *mut c_void) -> i32 {
    with(host, |entry| {
        let shared = entry.port.host.shared().clone();
        entry.bell.set(&shared, None, ring, context)?;
        Ok(0)
    })
}

/// Has the host's rings noted on the lists of the threads that ring (`knit_rung`), under a number for the pool of the caller's choice. For pools of
/// threads whose programs all look there.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_notes(host: u32, pool: u32) -> i32 {
    with(host, |entry| {
        let shared = entry.port.host.shared().clone();
        entry.bell.note(&shared, None, pool)?;
        Ok(0)
    })
}

/// Lets go of the host, and ends its worker processes. What was handed out stays until its token is given back; the pool's memory also for as long as
/// worker threads use it. The bell is not rung any more when this returns.
#[unsafe(no_mangle)]
pub extern "C" fn knit_host_close(host: u32) -> i32 {
    guard(|| {
        let entry = hosts(host, |hosts| {
            hosts.remove(host).ok_or_else(|| unknown(host))
        })?;
        // Dropped outside the table: what it ends may ring bells here.
        drop(entry);
        Ok(0)
    })
}
