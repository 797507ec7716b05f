//! A name where one process of the same user can connect, for those that cannot inherit a descriptor.
//!
//! The name is a socket in `/dev/shm`, of mode 0600 from its first moment, with 128 random bits in it. It goes as soon as a process of this user has connected, and when
//! the listener is dropped. If its process is killed before that, the name stays and leads nowhere: connecting is refused then, and who has tried removes
//! it. So does the next listener that this user opens, whatever program does, for all such names ([`sweep`]).
//!
//! Both sides ask the kernel who the other one is. Linux only: elsewhere the mode of a socket cannot be set before it has a name.

use std::fs::{Metadata, read_dir, remove_file, symlink_metadata};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, fchmod};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};
use rustix::rand::{GetRandomFlags, getrandom};

use super::{DescriptorSocket, io};
use crate::ShmError;

const FOLDER: &str = "/dev/shm";
/// What every such name ends with, and nothing else should.
const SUFFIX: &str = ".knit";
/// Bytes of a prefix, at most: with it the path fits into a socket's address.
const LONGEST_PREFIX: usize = 30;
/// A name is believed to be stale only when it is so old: a socket has a name for a moment before the kernel finds it by it.
const FRESH: Duration = Duration::from_secs(2);

/// A name to connect to, until one has done so or this is dropped.
#[derive(Debug)]
pub struct DescriptorListener {
    listener: UnixListener,
    path: PathBuf,
}

impl DescriptorListener {
    /// Makes a name that begins with that prefix, and removes those that are stale.
    ///
    /// # Errors
    /// [`ShmError::BadPrefix`], [`ShmError::Os`].
    pub fn new(prefix: &str) -> Result<Self, ShmError> {
        let path = Path::new(FOLDER).join(name(prefix)?);
        sweep();
        let socket = stream()?;
        // Before it has a name: the name gets this mode.
        fchmod(&socket, Mode::RUSR | Mode::WUSR).map_err(ShmError::os("fchmod"))?;
        let address = address(&path)?;
        bind(&socket, &address).map_err(ShmError::os("bind"))?;
        let this = Self {
            listener: socket.into(),
            path,
        };
        listen(&this.listener, 1).map_err(ShmError::os("listen"))?;
        // Never blocks: who connects and is gone again before `accept` must not make this wait for another.
        this.listener
            .set_nonblocking(true)
            .map_err(io("ioctl(FIONBIO)"))?;
        Ok(this)
    }

    /// Where to connect.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next process of this user that connects; others are turned away. Waits at most `timeout`. Afterwards the name is gone.
    ///
    /// # Errors
    /// [`ShmError::TimedOut`], [`ShmError::Os`].
    pub fn accept(&self, timeout: Duration) -> Result<DescriptorSocket, ShmError> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let limit = left.and_then(|left| Timespec::try_from(left).ok());
            let mut fds = [PollFd::new(&self.listener, PollFlags::IN)];
            match poll(&mut fds, limit.as_ref()) {
                Ok(0) => return Err(ShmError::TimedOut),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(ShmError::os("poll")(errno)),
            }
            match self.listener.accept() {
                Ok((stream, _)) if is_ours(&stream)? => {
                    self.remove();
                    return DescriptorSocket::new(stream);
                }
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(io("accept")(error)),
            }
        }
    }

    fn remove(&self) {
        // It may be gone already; nobody else can have made this name anew.
        let _ = remove_file(&self.path);
    }
}

impl AsFd for DescriptorListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for DescriptorListener {
    fn drop(&mut self) {
        self.remove();
    }
}

impl DescriptorSocket {
    /// Connects to another process's [`DescriptorListener`]. A name that leads nowhere is removed.
    ///
    /// # Errors
    /// [`ShmError::PeerGone`] if its process has ended, [`ShmError::NotPrivate`] if it is another user's, [`ShmError::Os`].
    pub fn connect(path: &Path) -> Result<Self, ShmError> {
        let socket = stream()?;
        match connect(&socket, &address(path)?) {
            Ok(()) => {}
            Err(Errno::CONNREFUSED) => {
                let _ = remove_file(path);
                return Err(ShmError::PeerGone);
            }
            Err(errno) => return Err(ShmError::os("connect")(errno)),
        }
        let stream = UnixStream::from(socket);
        if !is_ours(&stream)? {
            let name = path.to_string_lossy().into_owned();
            return Err(ShmError::NotPrivate { name });
        }
        Self::new(stream)
    }
}

/// Removes the names of this user that lead nowhere, since their listeners' processes were killed. Nobody's listener notices.
pub fn sweep() {
    let Ok(entries) = read_dir(FOLDER) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let named = path.to_string_lossy().ends_with(SUFFIX);
        if named
            && symlink_metadata(&path).is_ok_and(|meta| may_be_stale(&meta))
            && leads_nowhere(&path)
        {
            let _ = remove_file(&path);
        }
    }
}

fn may_be_stale(meta: &Metadata) -> bool {
    let age = meta
        .modified()
        .map(|made| SystemTime::now().duration_since(made));
    meta.file_type().is_socket()
        && meta.uid() == rustix::process::geteuid().as_raw()
        // One from the future was made before the clock was set back.
        && age.is_ok_and(|age| age.is_ok_and(|age| age > FRESH))
}

/// Whether no process listens there. It asks as a socket of another type: of that a listener hears nothing, and the answer tells the two cases apart.
fn leads_nowhere(path: &Path) -> bool {
    let asks = || -> Result<(), Errno> {
        let socket = socket_with(
            AddressFamily::UNIX,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        connect(&socket, &SocketAddrUnix::new(path)?)
    };
    asks() == Err(Errno::CONNREFUSED)
}

fn name(prefix: &str) -> Result<String, ShmError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if prefix.is_empty()
        || prefix.len() > LONGEST_PREFIX
        || prefix.starts_with('.')
        || !prefix.chars().all(plain)
    {
        return Err(ShmError::BadPrefix {
            prefix: prefix.to_owned(),
        });
    }
    let mut random = [MaybeUninit::uninit(); 16];
    let (random, _) =
        getrandom(&mut random, GetRandomFlags::empty()).map_err(ShmError::os("getrandom"))?;
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{prefix}-{digits}{SUFFIX}"))
}

fn stream() -> Result<OwnedFd, ShmError> {
    socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(ShmError::os("socket"))
}

fn address(path: &Path) -> Result<SocketAddrUnix, ShmError> {
    SocketAddrUnix::new(path).map_err(ShmError::os("a socket's address"))
}

/// Whether the peer belongs to this user.
fn is_ours(stream: &UnixStream) -> Result<bool, ShmError> {
    let peer = rustix::net::sockopt::socket_peercred(stream).map_err(ShmError::os("getsockopt"))?;
    Ok(peer.uid == rustix::process::geteuid())
}
