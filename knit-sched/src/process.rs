//! Worker processes: how one finds its pool and its place, and how it learns that its host is gone.
//!
//! All that a worker process is given is its standard input. That descriptor is the pool's memory, and the *position* of the descriptor is the
//! offset of the worker's cell. So a worker needs no argument and no environment, and may be wrapped in any command that leaves standard
//! input alone. What it must know besides (its epoch, whether it may steal) is in the memory.
//!
//! # Protocol
//!
//! 1. The host opens the place ([`Host::begin`]), asks for a descriptor ([`Host::descriptor`]) and starts the process with it as descriptor 0.
//!    Every process gets one of its own (an open file description, in the words of POSIX), because a position belongs to the description.
//! 2. The worker ([`attach`]) maps the memory, reads the position, takes the place, and puts `/dev/null` in place of descriptor 0: what it
//!    runs later neither reads the pool's memory by mistake nor hands it on.
//! 3. The host holds an exclusive `flock` on its own description, which no other process ever has. A thread of the worker waits for that
//!    lock. It is given when the host has ended, however it ended, or has let go of the memory: the worker exits then, whatever it runs,
//!    with the status [`HOST_GONE`].
//!
//! That holds across process-id and user namespaces, where neither pidfds of parents nor parent-death signals reach, and costs nothing
//! while nothing happens. It does not hold for a worker that stops its own threads (SIGSTOP): it ends when it goes on.
//!
//! Linux only: no other system opens anonymous memory a second time.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use knit_shm::Region;
use rustix::fs::{FlockOperation, Mode, OFlags, SeekFrom, flock, open, seek, tell};
use rustix::io::Errno;

use crate::bells::Shared;
use crate::cell::{Cell, HostWords};
use crate::error::{Result, SchedError};
use crate::host::Host;
use crate::worker::Worker;

/// Exit status of a worker process whose host is gone (`EX_UNAVAILABLE` in sysexits.h).
pub const HOST_GONE: i32 = 69;

fn io(what: &'static str) -> impl FnOnce(Errno) -> SchedError {
    move |errno| SchedError::Io {
        what,
        source: errno.into(),
    }
}

impl Host {
    /// What a process must get as standard input to become the worker of this place, which must have been opened. Each call makes a
    /// descriptor of its own, closed on exec like all others.
    ///
    /// # Errors
    /// There is no such worker, or no descriptor left.
    pub fn descriptor(&self, worker: usize) -> Result<OwnedFd> {
        let region = self.shared().region();
        let cell = self.shared().layout().cell_offset(worker)?;
        let own = region
            .fd()
            .ok_or(SchedError::NotAPool("it has no descriptor"))?;
        // Held already, it stays held.
        flock(own, FlockOperation::NonBlockingLockExclusive).map_err(io("flock"))?;
        let path = format!("/proc/self/fd/{}", own.as_raw_fd());
        let fd = open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            .map_err(io("opening the pool's memory again"))?;
        seek(&fd, SeekFrom::Start(cell as u64)).map_err(io("lseek"))?;
        Ok(fd)
    }
}

/// Whether this process was started as a pool's worker, as far as its standard input tells. For programs that start themselves again.
#[must_use]
pub fn is_worker() -> bool {
    stdin().and_then(place).is_ok()
}

/// Takes the place that this process was started for. From then on standard input is `/dev/null`, and the process exits with
/// [`HOST_GONE`] when its host is gone.
///
/// # Errors
/// Standard input is not a descriptor that a host made; its place is taken already; the host is gone.
pub fn attach() -> Result<Worker> {
    let (shared, index) = place(stdin()?)?;
    watch_host(shared.region())?;
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(io("opening /dev/null"))?;
    rustix::stdio::dup2_stdin(null).map_err(io("dup2"))?;
    let (region, layout) = (shared.region(), shared.layout());
    let epoch = Cell::new(layout, region, index)?.open_epoch()?;
    let steal = HostWords::new(region)?.steals();
    Worker::attach(shared, index, epoch, steal)
}

fn stdin() -> Result<OwnedFd> {
    std::io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|source| SchedError::Io {
            what: "dup",
            source,
        })
}

/// The pool behind the descriptor, and the worker at whose cell it stands.
fn place(fd: OwnedFd) -> Result<(std::sync::Arc<Shared>, usize)> {
    let shared = Shared::attach(Region::attach(fd)?)?;
    let at = shared
        .region()
        .fd()
        .ok_or(SchedError::NotAPool("it has no descriptor"))
        .and_then(|fd| tell(fd).map_err(io("lseek")))?;
    let worker = shared
        .layout()
        .worker_at(at)
        .ok_or(SchedError::NotAPool("its descriptor stands at no worker"))?;
    Ok((shared, worker))
}

/// Ends this process when the host is gone.
fn watch_host(region: &Region) -> Result<()> {
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
            std::process::exit(HOST_GONE);
        })
        .map_err(|source| SchedError::Io {
            what: "starting a thread",
            source,
        })?;
    Ok(())
}
