//! A socket that a program inherits from the process that starts it, by the number that its descriptor has there.
//!
//! The standard library closes everything but the standard streams when it starts a program. So the flag is taken off between fork and exec, in the new process
//! alone: no other program that is started meanwhile gets the descriptor.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::fstat;
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};

use super::DescriptorSocket;
use crate::ShmError;

/// By what a program finds the socket that it has inherited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heirloom {
    /// The number of the descriptor.
    pub number: u32,
    /// The lower half of the socket's inode number: what has that number in the program may be another's.
    pub inode: u32,
}

fn inode(fd: BorrowedFd<'_>) -> Result<u32, ShmError> {
    Ok(fstat(fd).map_err(ShmError::os("fstat"))?.st_ino as u32)
}

/// Leaves that descriptor open in the program that the command starts, under the number that it has here. The command keeps it until it is dropped.
///
/// # Errors
/// [`ShmError::Os`]: no descriptor is left.
pub fn inherit(command: &mut Command, fd: OwnedFd) -> Result<Heirloom, ShmError> {
    // The first three become the program's standard streams.
    let fd = if fd.as_raw_fd() < 3 {
        fcntl_dupfd_cloexec(fd, 3).map_err(ShmError::os("fcntl(F_DUPFD_CLOEXEC)"))?
    } else {
        fd
    };
    let heirloom = Heirloom {
        number: fd.as_raw_fd().unsigned_abs(),
        inode: inode(fd.as_fd())?,
    };
    let open = move || Ok(fcntl_setfd(&fd, FdFlags::empty())?);
    // SAFETY: the closure makes one system call, which is async-signal-safe, and touches no memory but its own.
    unsafe { command.pre_exec(open) };
    Ok(heirloom)
}

/// Leaves that socket open, for good, in this process and in the program that it becomes: for one that stands between a host and its worker.
///
/// # Errors
/// [`ShmError::Os`]: no descriptor is left.
pub fn bequeath(socket: &DescriptorSocket) -> Result<Heirloom, ShmError> {
    // Not one of the standard streams, and not closed on exec.
    let fd = fcntl_dupfd_cloexec(socket, 3).map_err(ShmError::os("fcntl(F_DUPFD_CLOEXEC)"))?;
    fcntl_setfd(&fd, FdFlags::empty()).map_err(ShmError::os("fcntl(F_SETFD)"))?;
    let inode = inode(fd.as_fd())?;
    let number = fd.into_raw_fd().unsigned_abs();
    Ok(Heirloom { number, inode })
}

/// That socket, in the program. What the program starts itself does not inherit it again.
///
/// # Errors
/// [`ShmError::BadMessage`] if it is not there (a wrapper has closed it); [`ShmError::Os`].
pub fn inherited(heirloom: Heirloom) -> Result<DescriptorSocket, ShmError> {
    let missing = ShmError::BadMessage {
        why: "the socket was not inherited: what has started this process closes descriptors",
    };
    let Ok(raw) = i32::try_from(heirloom.number) else {
        return Err(missing);
    };
    // SAFETY: it may be anybody's, and may be closed at any time: it is looked at and duplicated, each in one system call that refuses a number that is not open.
    let fd = unsafe { BorrowedFd::borrow_raw(raw) };
    match inode(fd) {
        Ok(found) if found == heirloom.inode => {}
        Ok(_) | Err(_) => return Err(missing),
    }
    let own = fcntl_dupfd_cloexec(fd, 3).map_err(ShmError::os("fcntl(F_DUPFD_CLOEXEC)"))?;
    let socket = DescriptorSocket::from_fd(own)?;
    fcntl_setfd(fd, FdFlags::CLOEXEC).map_err(ShmError::os("fcntl(F_SETFD)"))?;
    Ok(socket)
}
