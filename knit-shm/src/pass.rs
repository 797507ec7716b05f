//! Descriptors handed to another process, each with a number (`SCM_RIGHTS` over a UNIX socket made for it).
//!
//! A message in a ring cannot carry a descriptor. So the sender passes it through a [`DescriptorSocket`], with a number of its choice, *before* it
//! publishes the message that names the number; the receiver's [`Inbox`] then has it, or gets it at once, when it reads the message.
//!
//! # How two processes come to a socket
//!
//! - The child inherits it: [`DescriptorSocket::pair`] gives this side, and the descriptor for the other, which [`inherit`] leaves open in a
//!   program that is started, and [`inherited`] finds there by its number.
//! - The child cannot inherit anything (a wrapper closes it all): `DescriptorListener` makes a name that only this user can connect to, and the
//!   child is told it (Linux). No abstract names: any user could connect to those.
//!
//! # Protocol
//!
//! Records of 16 bytes. A kind of 0 comes with exactly one descriptor; a kind of 1 comes with none, and takes back what was passed under that number.
//!
//! ```text
//! u32 magic | u32 version | u32 number | u32 kind
//! ```
//!
//! # Guarantees
//!
//! Descriptors are closed on exec. One that was passed lives on when its sender closes its own or dies. Whatever a hostile peer sends is an
//! error, and no descriptor stays open for it. Sending never waits: if the other side does not read, it fails with [`ShmError::SocketFull`].
//!
//! Not guaranteed: what the descriptor is. [`Region::attach`] checks that.
//!
//! Sources: unix(7), cmsg(3), sendmsg(2).

use std::collections::HashMap;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketType, recvmsg, sendmsg, sockopt,
};

use crate::{Region, ShmError};

mod inherit;
#[cfg(target_os = "linux")]
mod listener;
pub use inherit::{Heirloom, bequeath, inherit, inherited};
#[cfg(target_os = "linux")]
pub use listener::{DescriptorListener, sweep};

/// "KNIT" as bytes in memory.
const MAGIC: u32 = u32::from_le_bytes(*b"KNIT");
const VERSION: u32 = 1;
const RECORD: usize = 16;
/// Kinds of records.
const PASSED: u32 = 0;
const FORGOTTEN: u32 = 1;
/// Room for more descriptors than a record may have, so that too many are seen rather than cut off.
const ROOM: usize = 4;

/// What came through a socket.
#[derive(Debug)]
pub enum Record {
    /// A descriptor and its number.
    Passed(u32, OwnedFd),
    /// A descriptor of that number was passed, and this process may have no more of them open: it is closed.
    Lost(u32),
    /// No message will name that number any more.
    Forgotten(u32),
}

/// One end of a socket for descriptors.
#[derive(Debug)]
pub struct DescriptorSocket(UnixStream);

impl DescriptorSocket {
    /// A new socket: this process's end, and the end for another process to inherit.
    ///
    /// # Errors
    /// [`ShmError::Os`].
    pub fn pair() -> Result<(Self, OwnedFd), ShmError> {
        let (ours, theirs) = UnixStream::pair().map_err(io("socketpair"))?;
        Ok((Self::new(ours)?, theirs.into()))
    }

    /// An end that this process was given, after a look whether it is such a socket.
    ///
    /// # Errors
    /// [`ShmError::BadMessage`] if it is something else, [`ShmError::Os`].
    pub fn from_fd(fd: OwnedFd) -> Result<Self, ShmError> {
        let fits = match sockopt::socket_type(&fd) {
            Ok(kind) => {
                kind == SocketType::STREAM
                    && rustix::net::getsockname(&fd)
                        .is_ok_and(|name| name.address_family() == AddressFamily::UNIX)
            }
            Err(Errno::NOTSOCK) => false,
            Err(errno) => return Err(ShmError::os("getsockopt")(errno)),
        };
        if fits {
            Self::new(UnixStream::from(fd))
        } else {
            Err(ShmError::BadMessage {
                why: "the descriptor is not a UNIX stream socket",
            })
        }
    }

    fn new(stream: UnixStream) -> Result<Self, ShmError> {
        rustix::io::ioctl_fionbio(&stream, false).map_err(ShmError::os("ioctl(FIONBIO)"))?;
        #[cfg(target_os = "macos")]
        sockopt::set_socket_nosigpipe(&stream, true).map_err(ShmError::os("setsockopt"))?;
        Ok(Self(stream))
    }

    /// Passes a descriptor with a number. The sender may close its own afterwards.
    ///
    /// # Errors
    /// [`ShmError::SocketFull`], [`ShmError::PeerGone`], [`ShmError::Os`].
    pub fn send(&self, number: u32, fd: BorrowedFd<'_>) -> Result<(), ShmError> {
        let fds = [fd];
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut room);
        control.push(SendAncillaryMessage::ScmRights(&fds));
        self.write(number, PASSED, &mut control)
    }

    /// Tells the other end that no message will name that number any more.
    ///
    /// # Errors
    /// As [`DescriptorSocket::send`].
    pub fn forget(&self, number: u32) -> Result<(), ShmError> {
        self.write(number, FORGOTTEN, &mut SendAncillaryBuffer::default())
    }

    fn write(
        &self,
        number: u32,
        kind: u32,
        control: &mut SendAncillaryBuffer<'_, '_, '_>,
    ) -> Result<(), ShmError> {
        let mut record = [0; RECORD];
        for (word, at) in [MAGIC, VERSION, number, kind]
            .into_iter()
            .zip((0..).step_by(4))
        {
            record[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        #[cfg(target_os = "linux")]
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        #[cfg(not(target_os = "linux"))]
        let flags = SendFlags::DONTWAIT;
        loop {
            return match sendmsg(&self.0, &[IoSlice::new(&record)], control, flags) {
                Ok(RECORD) => Ok(()),
                // A part of a record: the socket is of no use any more. Systems do not do this to so few bytes.
                Ok(_) => Err(ShmError::BadMessage {
                    why: "a record was cut while it was sent",
                }),
                Err(Errno::INTR) => continue,
                // TOOMANYREFS: more descriptors are under way than this process may have open.
                Err(Errno::AGAIN | Errno::TOOMANYREFS | Errno::NOBUFS) => Err(ShmError::SocketFull),
                Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => Err(ShmError::PeerGone),
                Err(errno) => Err(ShmError::os("sendmsg")(errno)),
            };
        }
    }

    /// The next descriptor and its number; waits for it at most `timeout`, or for ever. What is taken back is passed over.
    ///
    /// # Errors
    /// [`ShmError::TimedOut`], [`ShmError::PeerGone`], [`ShmError::BadMessage`], [`ShmError::Os`].
    pub fn receive(&self, timeout: Option<Duration>) -> Result<(u32, OwnedFd), ShmError> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match self.next(left)? {
                Record::Passed(number, fd) => return Ok((number, fd)),
                Record::Lost(_) => return Err(bad(LOST)),
                Record::Forgotten(_) => {}
            }
        }
    }

    /// The next record; waits for it at most `timeout`, or for ever.
    ///
    /// # Errors
    /// As [`DescriptorSocket::receive`].
    pub fn next(&self, timeout: Option<Duration>) -> Result<Record, ShmError> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut record = [0; RECORD];
        let mut filled = 0;
        let mut lost = false;
        let mut passed: Option<OwnedFd> = None;
        while filled < RECORD {
            self.wait(deadline)?;
            let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(ROOM))];
            let mut control = RecvAncillaryBuffer::new(&mut room);
            #[cfg(target_os = "linux")]
            let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
            #[cfg(not(target_os = "linux"))]
            let flags = RecvFlags::DONTWAIT;
            let mut parts = [IoSliceMut::new(&mut record[filled..])];
            let message = match recvmsg(&self.0, &mut parts, &mut control, flags) {
                Ok(message) => message,
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(Errno::CONNRESET) => return Err(ShmError::PeerGone),
                Err(errno) => return Err(ShmError::os("recvmsg")(errno)),
            };
            // All of them become owned, hence closed if something is wrong.
            let mut fds = control.drain().filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(fds) => Some(fds),
                _ => None,
            });
            for fd in fds.by_ref().flatten() {
                #[cfg(not(target_os = "linux"))]
                rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)
                    .map_err(ShmError::os("fcntl(F_SETFD)"))?;
                if passed.replace(fd).is_some() {
                    return Err(bad("a record with several descriptors"));
                }
            }
            lost |= message.flags.contains(ReturnFlags::CTRUNC);
            if message.bytes == 0 {
                return Err(if filled == 0 {
                    ShmError::PeerGone
                } else {
                    bad("a part of a record")
                });
            }
            filled += message.bytes;
        }
        let word = |at: usize| {
            u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
        };
        if word(0) != MAGIC || word(4) != VERSION {
            return Err(bad("another form of record"));
        }
        match (word(12), passed) {
            (PASSED, _) if lost => Ok(Record::Lost(word(8))),
            (PASSED, Some(fd)) => Ok(Record::Passed(word(8), fd)),
            (PASSED, None) => Err(bad("a record without a descriptor")),
            (FORGOTTEN, None) => Ok(Record::Forgotten(word(8))),
            _ => Err(bad("another form of record")),
        }
    }

    /// Waits until there is something to read.
    fn wait(&self, deadline: Option<Instant>) -> Result<(), ShmError> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            // A time that does not fit is as good as none.
            let limit = left.and_then(|left| Timespec::try_from(left).ok());
            let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
            match poll(&mut fds, limit.as_ref()) {
                Ok(0) => return Err(ShmError::TimedOut),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(ShmError::os("poll")(errno)),
            }
        }
    }
}

impl AsFd for DescriptorSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The receiving end: regions by number, in whatever order messages name them.
#[derive(Debug)]
pub struct Inbox {
    socket: DescriptorSocket,
    arrived: HashMap<u32, Region>,
    attach: fn(OwnedFd) -> Result<Region, ShmError>,
}

impl Inbox {
    /// Receives through this socket what [`Region::attach`] takes: the sender cannot harm this process.
    #[must_use]
    pub fn new(socket: DescriptorSocket) -> Self {
        Self {
            socket,
            arrived: HashMap::new(),
            attach: Region::attach,
        }
    }

    /// Receives named memory too, which cannot be sealed: from a sender that is trusted not to shrink it, as a worker trusts its host.
    #[must_use]
    pub fn trusting(socket: DescriptorSocket) -> Self {
        Self {
            attach: Region::attach_unsealed,
            ..Self::new(socket)
        }
    }

    /// The region that was passed with this number, which is forgotten here. Waits for it at most `timeout`: a sender that passes before it publishes keeps
    /// nobody waiting.
    ///
    /// # Errors
    /// Those of [`DescriptorSocket::receive`] and of [`Region::attach`].
    pub fn take(&mut self, number: u32, timeout: Option<Duration>) -> Result<Region, ShmError> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            if let Some(region) = self.arrived.remove(&number) {
                return Ok(region);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let (arrived, fd) = self.socket.receive(left)?;
            self.arrived.insert(arrived, (self.attach)(fd)?);
        }
    }

    /// Takes in what has come and nobody has asked for yet, without waiting, so that the socket does not fill up. Says how many regions are held.
    ///
    /// # Errors
    /// As [`Inbox::take`], but for the time.
    pub fn drain(&mut self) -> Result<usize, ShmError> {
        loop {
            match self.socket.receive(Some(Duration::ZERO)) {
                Ok((number, fd)) => {
                    self.arrived.insert(number, (self.attach)(fd)?);
                }
                Err(ShmError::TimedOut) => return Ok(self.arrived.len()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives up a region that no message will name.
    pub fn forget(&mut self, number: u32) {
        self.arrived.remove(&number);
    }
}

const LOST: &str = "a descriptor was lost: this process may have no more of them open";

fn bad(why: &'static str) -> ShmError {
    ShmError::BadMessage { why }
}

/// For `map_err` on what the standard library calls.
fn io(call: &'static str) -> impl FnOnce(std::io::Error) -> ShmError {
    move |error| ShmError::Os {
        call,
        errno: error.raw_os_error().unwrap_or(Errno::INVAL.raw_os_error()),
    }
}
