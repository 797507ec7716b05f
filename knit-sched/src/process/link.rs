//! The socket between a host and one of its worker processes, through which memory crosses beside messages: each side's end.
//!
//! A message names memory by a number. Its descriptor is passed, with the number, *before* the message is published, so the receiver of a message
//! finds it, or gets it at once. What no message will name any more (its call is settled, its value was refused) is taken back under the same number.
//!
//! Each end has a thread that reads as soon as there is something (the host's watcher, a thread of the worker's own), so that a worker that runs for long
//! keeps nobody waiting. What the host cannot send at once, since a worker has not begun to read, waits here, and the watcher sends it.
//!
//! # Guarantees
//!
//! A peer that floods this end stops being read at [`MOST`] descriptors that nobody has asked for. A descriptor that came when this process could have no
//! more of them is known to be lost, and said to be. When the link is dropped, everything that nobody has asked for is closed.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use knit_shm::pass::{DescriptorSocket, Record};
use knit_shm::{Region, ShmError};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::bell::RESERVED;

/// Descriptors of a worker that may wait in its host for whoever asks for them.
const MOST: usize = 256;
/// How long a worker waits for what its host has passed, or for room in the socket: as good as for ever, since the other side has a thread for this.
const PATIENCE: Duration = Duration::from_secs(10);

/// What has come under a number.
enum Arrived {
    Fd(OwnedFd),
    /// Worker: asked for already, and perhaps again, until the host takes it back.
    Mapped(Region),
    Lost,
}

/// What is to be sent under a number.
enum ToSend {
    Memory(Arc<Region>),
    Descriptor(Arc<OwnedFd>),
    /// It is taken back.
    Forget,
}

#[derive(Default)]
struct State {
    arrived: HashMap<u32, Arrived>,
    waiting: VecDeque<(u32, ToSend)>,
    /// The number heard of last. They come in order, wrapping.
    last: u32,
    /// The other end is gone, or has sent what cannot be understood.
    over: bool,
}

impl State {
    fn hear_of(&mut self, number: u32) {
        // What is taken back was mostly heard of before.
        if number.wrapping_sub(self.last) as i32 > 0 {
            self.last = number;
        }
    }

    fn arrive(&mut self, number: u32, what: Arrived) {
        if number < RESERVED {
            self.hear_of(number);
        }
        self.arrived.insert(number, what);
    }
}

/// One end.
pub(crate) struct Link {
    /// Host: none until a process that could not inherit it has connected.
    socket: OnceLock<DescriptorSocket>,
    /// Descriptors that may wait for whoever asks for them.
    most: usize,
    state: Mutex<State>,
    came: Condvar,
}

impl Link {
    /// The host's end, which does not trust the other.
    pub(crate) fn of_host(socket: DescriptorSocket) -> Self {
        Self::new(socket.into(), MOST)
    }

    /// The host's, before the process has connected: what is passed waits for that.
    pub(crate) fn to_come() -> Self {
        Self::new(OnceLock::new(), MOST)
    }

    /// The process has connected.
    pub(super) fn connect(&self, socket: DescriptorSocket) {
        // It connects once: its name is gone then.
        let _ = self.socket.set(socket);
        self.work();
    }

    /// A worker's: the host takes back what it has passed.
    pub(crate) fn of_worker(socket: DescriptorSocket) -> Self {
        Self::new(socket.into(), usize::MAX)
    }

    fn new(socket: OnceLock<DescriptorSocket>, most: usize) -> Self {
        Self {
            socket,
            most,
            state: Mutex::default(),
            came: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to poll the socket for; nothing if it is over.
    pub(super) fn wants(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let socket = self.socket.get()?;
        let state = self.state();
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, state.arrived.len() < self.most);
        flags.set(PollFlags::OUT, !state.waiting.is_empty());
        (!state.over && !flags.is_empty()).then(|| (socket.as_fd(), flags))
    }

    /// Reads and sends what can be without waiting.
    pub(super) fn work(&self) {
        let mut state = self.state();
        self.flush(&mut state);
        self.read(&mut state);
    }

    /// Host: passes memory, at once or as soon as there is room. True if the watcher has to see to that.
    pub(crate) fn pass(&self, number: u32, region: &Arc<Region>) -> bool {
        self.push(number, ToSend::Memory(region.clone()))
    }

    /// Host: the same for a descriptor that is no memory, under a reserved number.
    pub(super) fn pass_descriptor(&self, number: u32, fd: &Arc<OwnedFd>) -> bool {
        self.push(number, ToSend::Descriptor(fd.clone()))
    }

    fn push(&self, number: u32, what: ToSend) -> bool {
        let mut state = self.state();
        state.waiting.push_back((number, what));
        self.flush(&mut state);
        !state.waiting.is_empty()
    }

    /// Host: takes a number back. True if the watcher has to see to that.
    pub(crate) fn forget(&self, number: u32) -> bool {
        let mut state = self.state();
        // Told even if it was never passed: who asks for it must not wait.
        match state.waiting.iter_mut().find(|(other, _)| *other == number) {
            Some((_, what)) => *what = ToSend::Forget,
            None => state.waiting.push_back((number, ToSend::Forget)),
        }
        self.flush(&mut state);
        !state.waiting.is_empty()
    }

    /// Worker: passes memory, and waits for room.
    pub(crate) fn pass_now(&self, number: u32, region: &Region) -> Result<(), ShmError> {
        let Some(fd) = region.fd() else {
            return Err(ShmError::NotMemory);
        };
        self.send(|socket| socket.send(number, fd))
    }

    /// Worker: takes a number back.
    pub(crate) fn forget_now(&self, number: u32) -> Result<(), ShmError> {
        self.send(|socket| socket.forget(number))
    }

    fn send(
        &self,
        send: impl Fn(&DescriptorSocket) -> Result<(), ShmError>,
    ) -> Result<(), ShmError> {
        let socket = self.socket.get().ok_or(ShmError::PeerGone)?;
        loop {
            match send(socket) {
                Err(ShmError::SocketFull) => {}
                other => return other,
            }
            let patience = Timespec::try_from(PATIENCE).ok();
            let mut fds = [PollFd::new(socket, PollFlags::OUT)];
            // An error is a signal, or passes.
            if poll(&mut fds, patience.as_ref()) == Ok(0) {
                return Err(ShmError::SocketFull);
            }
        }
    }

    /// The memory of that number, if it has been passed: for a host, whose workers are not trusted to have done so.
    pub(crate) fn take_now(&self, number: u32) -> Result<Option<Region>, ShmError> {
        let mut state = self.state();
        if !state.arrived.contains_key(&number) {
            self.read(&mut state);
        }
        match state.arrived.remove(&number) {
            None => Ok(None),
            Some(Arrived::Fd(fd)) => Region::attach(fd).map(Some),
            Some(Arrived::Mapped(region)) => Ok(Some(region)),
            Some(Arrived::Lost) => Err(lost()),
        }
    }

    /// Worker: the memory of that number, which the host has passed or is about to. The host is trusted: its named memory, which cannot be sealed, comes as well.
    pub(crate) fn take(&self, number: u32) -> Result<Option<Region>, ShmError> {
        let state = self.state();
        let (mut state, _) = self
            .came
            .wait_timeout_while(state, PATIENCE, |state| {
                let to_come = number.wrapping_sub(state.last) as i32 > 0;
                !state.over && to_come && !state.arrived.contains_key(&number)
            })
            .unwrap_or_else(PoisonError::into_inner);
        let region = match state.arrived.remove(&number) {
            None => return Ok(None),
            Some(Arrived::Fd(fd)) => Region::attach_unsealed(fd)?,
            Some(Arrived::Mapped(region)) => region,
            Some(Arrived::Lost) => return Err(lost()),
        };
        state
            .arrived
            .insert(number, Arrived::Mapped(region.clone()));
        Ok(Some(region))
    }

    /// Worker: the descriptor that the host has passed under a reserved number, or is about to. None if it was lost.
    pub(super) fn take_descriptor(&self, number: u32) -> Option<OwnedFd> {
        let state = self.state();
        let (mut state, _) = self
            .came
            .wait_timeout_while(state, PATIENCE, |state| {
                !state.over && !state.arrived.contains_key(&number)
            })
            .unwrap_or_else(PoisonError::into_inner);
        match state.arrived.remove(&number) {
            Some(Arrived::Fd(fd)) => Some(fd),
            _ => None,
        }
    }

    fn flush(&self, state: &mut State) {
        let Some(socket) = self.socket.get() else {
            return;
        };
        while let Some((number, what)) = state.waiting.front() {
            let sent = match what {
                ToSend::Memory(region) => match region.fd() {
                    Some(fd) => socket.send(*number, fd),
                    // Private memory has none, and cannot be shared; it is not offered.
                    None => Ok(()),
                },
                ToSend::Descriptor(fd) => socket.send(*number, fd.as_fd()),
                ToSend::Forget => socket.forget(*number),
            };
            match sent {
                Err(ShmError::SocketFull) => return,
                Ok(()) => drop(state.waiting.pop_front()),
                Err(_) => {
                    // Nobody reads there any more.
                    state.waiting.clear();
                    return;
                }
            }
        }
    }

    fn read(&self, state: &mut State) {
        let Some(socket) = self.socket.get() else {
            return;
        };
        while !state.over && state.arrived.len() < self.most {
            match socket.next(Some(Duration::ZERO)) {
                Ok(Record::Passed(number, fd)) => state.arrive(number, Arrived::Fd(fd)),
                Ok(Record::Lost(number)) => state.arrive(number, Arrived::Lost),
                Ok(Record::Forgotten(number)) => {
                    state.hear_of(number);
                    state.arrived.remove(&number);
                }
                Err(ShmError::TimedOut) => break,
                Err(_) => {
                    state.over = true;
                    state.waiting.clear();
                }
            }
        }
        self.came.notify_all();
    }

    /// Worker: reads for as long as the other end lives. For a thread of its own.
    pub(super) fn keep_reading(&self) {
        loop {
            let Some((fd, flags)) = self.wants() else {
                return;
            };
            let _ = poll(&mut [PollFd::from_borrowed_fd(fd, flags)], None);
            self.work();
        }
    }
}

fn lost() -> ShmError {
    ShmError::BadMessage {
        why: "a descriptor was lost: this process may have no more of them open",
    }
}
