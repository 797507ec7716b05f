//! A place where one process of the same user can connect, for those that cannot inherit a descriptor.
//!
//! The socket lies in a new directory of mode 0700 below the system's directory for temporary files; both go when the listener is dropped. On Linux the
//! kernel is asked besides who it is that has connected.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{DescriptorSocket, io};
use crate::ShmError;

/// A path to connect to, until it is dropped.
#[derive(Debug)]
pub struct DescriptorListener {
    listener: UnixListener,
    place: Place,
}

/// The socket's path, in a directory of its own; removed with it.
#[derive(Debug)]
struct Place(PathBuf);

impl Place {
    fn new() -> Result<Self, ShmError> {
        loop {
            let mut random = RandomState::new().build_hasher();
            random.write_u32(std::process::id());
            let mut name = OsString::from("knit-");
            name.push(format!("{:016x}", random.finish()));
            let path = std::env::temp_dir().join(name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path.join("socket"))),
                // Somebody else's: another name.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io("mkdir")(error)),
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Either may be gone already, and then nothing is left to do.
        let _ = std::fs::remove_file(&self.0);
        let _ = self.0.parent().map(std::fs::remove_dir);
    }
}

impl DescriptorListener {
    /// Makes the path.
    ///
    /// # Errors
    /// [`ShmError::Os`].
    pub fn new() -> Result<Self, ShmError> {
        let place = Place::new()?;
        let listener = UnixListener::bind(&place.0).map_err(io("bind"))?;
        // Never blocks: who connects and is gone again before `accept` must not make this wait for another.
        listener
            .set_nonblocking(true)
            .map_err(io("ioctl(FIONBIO)"))?;
        Ok(Self { listener, place })
    }

    /// Where to connect.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.place.0
    }

    /// The next process of this user that connects; others are turned away. Waits at most `timeout`.
    ///
    /// # Errors
    /// [`ShmError::TimedOut`], [`ShmError::Os`].
    pub fn accept(&self, timeout: Duration) -> Result<DescriptorSocket, ShmError> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let limit = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(
                &mut [PollFd::new(&self.listener, PollFlags::IN)],
                limit.as_ref(),
            ) {
                Ok(0) => return Err(ShmError::TimedOut),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(ShmError::os("poll")(errno)),
            }
            match self.listener.accept() {
                Ok((stream, _)) if is_ours(&stream)? => return DescriptorSocket::new(stream),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(io("accept")(error)),
            }
        }
    }
}

impl DescriptorSocket {
    /// Connects to another process's [`DescriptorListener`].
    ///
    /// # Errors
    /// [`ShmError::Os`].
    pub fn connect(path: &Path) -> Result<Self, ShmError> {
        Self::new(UnixStream::connect(path).map_err(io("connect"))?)
    }
}

/// Whether the peer belongs to this user.
#[cfg(target_os = "linux")]
fn is_ours(stream: &UnixStream) -> Result<bool, ShmError> {
    let peer = rustix::net::sockopt::socket_peercred(stream).map_err(ShmError::os("getsockopt"))?;
    Ok(peer.uid == rustix::process::geteuid())
}

/// Whether the peer belongs to this user: nobody else could enter the directory.
#[cfg(not(target_os = "linux"))]
fn is_ours(_: &UnixStream) -> Result<bool, ShmError> {
    Ok(true)
}
