//! What a worker process makes of what it was given.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use knit_shm::Region;
use knit_shm::pass::{Heirloom, inherited};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};

use super::bell::{FarBell, Passed, Poll};
use super::given::{self, find, place, stdin};
use super::link::Link;
use super::relay::Relay;
use super::{Gone, HOST_GONE, boot, io};
use crate::bells::Shared;
use crate::cell::{Cell, HostWords};
use crate::error::{Result, SchedError};
use crate::worker::Worker;

/// A process that has found its pool, and may take its place.
pub struct Joined {
    shared: Arc<Shared>,
    index: usize,
    epoch: u32,
    steal: bool,
    /// None: what has started this process closes descriptors.
    link: Option<Arc<Link>>,
    /// What this worker's event loop may poll.
    bell: Option<Arc<OwnedFd>>,
}

impl Joined {
    /// The pool's memory.
    #[must_use]
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The place.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The epoch for which the place is open.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether this worker may take calls queued for others.
    #[must_use]
    pub fn steal(&self) -> bool {
        self.steal
    }

    /// What the host's binding tells its workers.
    ///
    /// # Errors
    /// The host has told nothing, or the memory is damaged.
    pub fn boot(&self) -> Result<boot::Boot> {
        boot::read(&self.shared)
    }

    /// The way for shared memory.
    ///
    /// # Errors
    /// [`SchedError::NoLink`].
    pub(crate) fn link(&self) -> Result<Arc<Link>> {
        self.link.clone().ok_or(SchedError::NoLink)
    }

    /// Takes the place.
    ///
    /// # Errors
    /// Another worker has it, or the memory is damaged.
    pub fn attach(&self) -> Result<Worker> {
        Worker::attach(self.shared.clone(), self.index, self.epoch, self.steal)
    }

    /// For a worker that sleeps in an event loop, whose bell is set: a thread that passes the rings of other processes on to that bell, for as long
    /// as what is returned lives.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn relay(&self) -> Result<Relay> {
        Relay::of_worker(&self.shared, self.index, self.epoch)
    }

    /// What that event loop may poll, so that the host need not go through that thread. None if it was not passed.
    ///
    /// # Errors
    /// The memory is damaged.
    pub fn poll(&self) -> Result<Option<Poll>> {
        let Some(bell) = self.bell.clone() else {
            return Ok(None);
        };
        let (layout, region) = (self.shared.layout(), self.shared.region());
        let cell = Cell::new(layout, region, self.index)?;
        Ok(Some(Poll::new(bell, cell.sleeper())))
    }
}

/// Whether this process was started as a pool's worker, as far as its standard input and its last argument tell. For programs that start themselves again.
#[must_use]
pub fn is_worker() -> bool {
    given::name().is_some() || stdin().and_then(place).is_ok()
}

/// Takes the place that this process was started for. From then on standard input is `/dev/null`, and the process exits with
/// [`HOST_GONE`] when its host is gone.
///
/// # Errors
/// Standard input is not a descriptor that a host made, and the last argument names no place to get one; its place is taken already; the host is gone.
pub fn attach() -> Result<Worker> {
    join(Gone::Exit)?.attach()
}

/// The first half of [`attach`]: finds the pool and the place, without taking it.
///
/// # Errors
/// As [`attach`].
pub fn join(gone: Gone) -> Result<Joined> {
    let (shared, index) = find()?;
    watch_host(shared.region(), gone)?;
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(io("opening /dev/null"))?;
    rustix::stdio::dup2_stdin(null).map_err(io("dup2"))?;
    let (region, layout) = (shared.region(), shared.layout());
    let cell = Cell::new(layout, region, index)?;
    let host = HostWords::new(region)?;
    let link = link(cell.socket())?;
    let passed = link.as_deref().and_then(Passed::through);
    let bell = passed.as_ref().map(|passed| passed.worker.clone());
    let steal = host.steals();
    if let Some(passed) = passed {
        let far = FarBell {
            fd: passed.host,
            sleeper: host.sleeper(),
        };
        shared.set_bell(None, Some(Arc::new(far)))?;
    }
    Ok(Joined {
        epoch: cell.open_epoch()?,
        link,
        bell,
        steal,
        index,
        shared,
    })
}

/// The socket that this process has inherited, read by a thread for as long as the host lives.
fn link(socket: Option<Heirloom>) -> Result<Option<Arc<Link>>> {
    // Without it everything works but memory in values.
    let Some(socket) = socket.and_then(|socket| inherited(socket).ok()) else {
        return Ok(None);
    };
    let link = Arc::new(Link::of_worker(socket));
    let reading = link.clone();
    std::thread::Builder::new()
        .name("knit-link".into())
        .stack_size(64 * 1024)
        .spawn(move || reading.keep_reading())
        .map_err(|source| SchedError::Io {
            what: "starting a thread",
            source,
        })?;
    Ok(Some(link))
}

/// Ends this process when the host is gone.
fn watch_host(region: &Region, gone: Gone) -> Result<()> {
    let region = region.clone();
    let lock = move |operation| {
        let fd = region.fd().expect("it was attached by its descriptor");
        flock(fd, operation)
    };
    match lock(FlockOperation::NonBlockingLockShared) {
        Err(Errno::WOULDBLOCK) => {}
        Ok(()) => return Err(SchedError::HostGone),
        Err(errno) => return Err(io("flock")(errno)),
    }
    std::thread::Builder::new()
        .name("knit-host-watch".into())
        .spawn(move || {
            while lock(FlockOperation::LockShared) == Err(Errno::INTR) {}
            if gone == Gone::Kill {
                // A process may always kill itself; if not, it exits.
                let _ = kill_process(getpid(), Signal::KILL);
            }
            std::process::exit(HOST_GONE);
        })
        .map_err(|source| SchedError::Io {
            what: "starting a thread",
            source,
        })?;
    Ok(())
}
