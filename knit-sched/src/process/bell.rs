//! Event loops that poll a descriptor, and are rung from other processes by it: without a thread between, whose own waking would cost more than the ring.
//!
//! The host makes an eventfd for itself, and one for each process that it starts, and passes both through the link before anything else. A participant whose event loop
//! polls its own says so in the pool's memory ([`Poll`]); whoever has the other end and finds that word set writes there, and else rings the doorbell, on which a thread
//! sleeps ([`Relay`](super::Relay)). So each way works without the other side: a runtime whose loop polls no descriptors, a descriptor that was
//! lost, a peer that was never given it (workers ring each other's doorbells).
//!
//! What a descriptor counts means nothing, only that it is readable: a loop that was rung looks at its queues.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use super::io;
use super::link::Link;
use crate::bells::Bell;
use crate::cell::Sleeper;
use crate::error::Result;

/// Under these numbers they are passed: none of a message's, which are below.
pub(super) const HOST: u32 = u32::MAX;
pub(super) const WORKER: u32 = u32::MAX - 1;
/// Numbers from here on are none of messages.
pub(super) const RESERVED: u32 = WORKER;

/// A new one, unreadable, closed on exec.
pub(super) fn descriptor() -> Result<Arc<OwnedFd>> {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
        .map(Arc::new)
        .map_err(io("eventfd"))
}

/// The far end of a sleeper of another process.
pub(super) struct FarBell {
    pub(super) fd: Arc<OwnedFd>,
    pub(super) sleeper: Sleeper,
}

impl Bell for FarBell {
    fn ring(&self) {
        if self.sleeper.polls() {
            match rustix::io::write(&self.fd, &1_u64.to_ne_bytes()) {
                // Full: it is readable.
                Ok(_) | Err(Errno::AGAIN) => return,
                Err(_) => {}
            }
        }
        self.sleeper.bell().ring();
    }
}

/// The near end: what an event loop polls, if it can. From then on until this is dropped others ring it there.
pub struct Poll {
    fd: Arc<OwnedFd>,
    sleeper: Sleeper,
}

impl Poll {
    pub(super) fn new(fd: Arc<OwnedFd>, sleeper: Sleeper) -> Self {
        Self { fd, sleeper }
    }

    /// The loop polls it from now on.
    pub fn begin(&self) {
        self.sleeper.set_polls(true);
    }

    /// It polls it no longer.
    pub fn end(&self) {
        self.sleeper.set_polls(false);
    }

    /// It was readable: so that it is not until the next ring.
    pub fn heard(&self) {
        // Nothing there: somebody else's event.
        let _ = rustix::io::read(&self.fd, &mut [0_u8; 8]);
    }
}

impl AsFd for Poll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a worker process was passed. None if something was lost: it is rung by its doorbell then, and rings the host's.
pub(super) struct Passed {
    pub(super) host: Arc<OwnedFd>,
    pub(super) worker: Arc<OwnedFd>,
}

impl Passed {
    pub(super) fn through(link: &Link) -> Option<Self> {
        // In the order in which they were passed.
        let host = link.take_descriptor(HOST)?;
        let worker = link.take_descriptor(WORKER)?;
        Some(Self {
            host: Arc::new(host),
            worker: Arc::new(worker),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use knit_shm::Region;
    use knit_shm::pass::DescriptorSocket;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;
    use crate::cell::HostWords;
    use crate::host::{Host, HostOptions};

    fn is_readable(fd: &OwnedFd) -> bool {
        let now = Timespec::default();
        poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&now)).unwrap() == 1
    }

    #[test]
    fn who_polls_is_rung_at_its_descriptor_and_others_at_their_doorbells() {
        let host = Host::create(HostOptions::default()).unwrap();
        let words = HostWords::new(host.shared().region()).unwrap();
        let fd = descriptor().unwrap();
        let far = FarBell {
            fd: fd.clone(),
            sleeper: words.sleeper(),
        };
        let near = Poll::new(fd.clone(), words.sleeper());
        near.begin();
        far.ring();
        assert!(is_readable(&fd));
        near.heard();
        assert!(!is_readable(&fd), "it was heard");

        near.end();
        words.bell().arm();
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| words.bell().wait(None));
            // It may not sleep yet.
            while !sleeper.is_finished() {
                far.ring();
                std::thread::yield_now();
            }
        });
        assert!(!is_readable(&fd));
    }

    #[test]
    fn bells_that_are_never_heard_keep_nobody() {
        let host = Host::create(HostOptions::default()).unwrap();
        let words = HostWords::new(host.shared().region()).unwrap();
        let fd = descriptor().unwrap();
        rustix::io::write(&fd, &(u64::MAX - 1).to_ne_bytes()).unwrap();
        Poll::new(fd.clone(), words.sleeper()).begin();
        words.sleeper().set_polls(true);
        FarBell {
            fd: fd.clone(),
            sleeper: words.sleeper(),
        }
        .ring();
        assert!(is_readable(&fd));
    }

    #[test]
    fn they_pass_beside_memory_and_leave_its_numbers_alone() {
        let (ours, theirs) = DescriptorSocket::pair().unwrap();
        let (host, worker) = (
            Link::of_host(ours),
            Link::of_worker(DescriptorSocket::from_fd(theirs).unwrap()),
        );
        let memory = Arc::new(Region::anonymous(4096).unwrap());
        host.pass(1, &memory);
        let bells = [descriptor().unwrap(), descriptor().unwrap()];
        host.pass_descriptor(HOST, &bells[0]);
        host.pass_descriptor(WORKER, &bells[1]);
        worker.work();
        let passed = Passed::through(&worker).unwrap();
        for (theirs, ours) in [(passed.host, &bells[0]), (passed.worker, &bells[1])] {
            rustix::io::write(&theirs, &1_u64.to_ne_bytes()).unwrap();
            assert!(is_readable(ours));
        }
        // A number that is to come is still waited for.
        std::thread::scope(|scope| {
            let later = scope.spawn(|| worker.take(2));
            std::thread::sleep(Duration::from_millis(20));
            host.pass(2, &memory);
            worker.work();
            assert!(later.join().unwrap().unwrap().is_some());
        });
        assert!(worker.take(1).unwrap().is_some());
    }
}
