//! System calls, each as a function that returns an error number and nothing else happens.
//!
//! All are safe to call between fork and exec: they allocate nothing, take no lock, and leave `errno` of the C library as it is or set it.

pub(super) mod child;
pub(super) mod landlock;

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// An error number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Errno(pub(super) i32);

impl From<Errno> for std::io::Error {
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(errno.0)
    }
}

pub(super) type Result<T> = std::result::Result<T, Errno>;

pub(super) fn last() -> Errno {
    // It only reads the number, and allocates nothing.
    Errno(
        std::io::Error::last_os_error()
            .raw_os_error()
            .unwrap_or(libc::EIO),
    )
}

fn check(result: libc::c_long) -> Result<libc::c_long> {
    if result < 0 { Err(last()) } else { Ok(result) }
}

/// Puts a filter on this thread.
pub(super) fn filter(program: &[libc::sock_filter]) -> Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| Errno(libc::EINVAL))?,
        filter: program.as_ptr().cast_mut(),
    };
    const SET_MODE_FILTER: u32 = 1;
    // SAFETY: `program` points to `len` instructions that live while the call lasts; the kernel copies and never writes them.
    check(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            SET_MODE_FILTER,
            0_u32,
            std::ptr::from_ref(&program),
        )
    })?;
    Ok(())
}

/// Whether the kernel knows an action of filters.
pub(super) fn filter_action_available(action: u32) -> bool {
    const GET_ACTION_AVAIL: u32 = 2;
    // SAFETY: `action` is a valid u32 while the call lasts; the kernel only reads.
    unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            GET_ACTION_AVAIL,
            0_u32,
            std::ptr::from_ref(&action),
        ) == 0
    }
}

/// `prctl` with a number as its argument.
pub(super) fn prctl(option: libc::c_int, argument: libc::c_ulong) -> Result<()> {
    // SAFETY: the options used here (PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, PR_CAP_AMBIENT) take numbers only.
    check(libc::c_long::from(unsafe {
        libc::prctl(
            option,
            argument,
            0 as libc::c_ulong,
            0 as libc::c_ulong,
            0 as libc::c_ulong,
        )
    }))?;
    Ok(())
}

/// Marks the descriptors from `first` to `last` as closed on exec.
pub(super) fn close_on_exec(first: u32, last: u32) -> Result<()> {
    const CLOEXEC: u32 = 4;
    if first > last {
        return Ok(());
    }
    // SAFETY: numbers only. It marks descriptors and closes none.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, last, CLOEXEC) })?;
    Ok(())
}

/// Sets or clears the mark of one descriptor.
pub(super) fn set_close_on_exec(fd: RawFd, closed: bool) -> Result<()> {
    let flags = if closed { libc::FD_CLOEXEC } else { 0 };
    // SAFETY: numbers only; a descriptor that is not open gives EBADF.
    check(libc::c_long::from(unsafe {
        libc::fcntl(fd, libc::F_SETFD, flags)
    }))?;
    Ok(())
}

/// No image of the memory after a crash.
pub(super) fn no_core_dump() -> Result<()> {
    let limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is valid while the call lasts; the kernel only reads.
    check(libc::c_long::from(unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &raw const limit)
    }))?;
    Ok(())
}

/// The parent's process id, as this process's namespace sees it.
pub(super) fn parent() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::getppid() as u32 }
}

/// Opens a path for naming it only.
pub(super) fn open_path(path: &CStr) -> Result<OwnedFd> {
    // SAFETY: `path` ends with a NUL and lives while the call lasts.
    let fd = check(libc::c_long::from(unsafe {
        libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC)
    }))?;
    // SAFETY: just made, nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Opens a path for naming it only; fails with ELOOP if any part of it is a link.
pub(super) fn open_path_without_links(path: &CStr) -> Result<OwnedFd> {
    // SAFETY: a struct of integers: all zeroes is a value of it.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (libc::O_PATH | libc::O_CLOEXEC | libc::O_NOFOLLOW) as u64;
    how.resolve = libc::RESOLVE_NO_SYMLINKS;
    // SAFETY: `path` ends with a NUL, `how` is of the size given, both live while the call lasts; the kernel only reads.
    let fd = check(unsafe {
        libc::syscall(
            libc::SYS_openat2,
            libc::AT_FDCWD,
            path.as_ptr(),
            std::ptr::from_ref(&how),
            size_of::<libc::open_how>(),
        )
    })?;
    // SAFETY: just made, nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// The type bits of an open file's mode.
pub(super) fn file_type(fd: BorrowedFd<'_>) -> Result<u32> {
    // SAFETY: a struct of integers: all zeroes is a value of it.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `stat` is valid and ours while the call lasts.
    check(libc::c_long::from(unsafe {
        libc::fstat(fd.as_raw_fd(), &raw mut stat)
    }))?;
    Ok(stat.st_mode & libc::S_IFMT)
}

#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Capabilities {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Gives up every capability of this thread whose bit is not in `kept`.
pub(super) fn keep_capabilities(kept: u64) -> Result<()> {
    let header = CapabilityHeader {
        version: 0x2008_0522,
        pid: 0,
    };
    let mut sets = [Capabilities::default(); 2];
    // SAFETY: version 3 of the interface reads the header and writes two sets, which is what `sets` holds.
    check(unsafe {
        libc::syscall(
            libc::SYS_capget,
            std::ptr::from_ref(&header),
            sets.as_mut_ptr(),
        )
    })?;
    for (set, kept) in sets.iter_mut().zip([kept as u32, (kept >> 32) as u32]) {
        set.effective &= kept;
        set.permitted &= kept;
        set.inheritable = 0;
    }
    // SAFETY: as above; the kernel only reads the sets.
    check(unsafe { libc::syscall(libc::SYS_capset, std::ptr::from_ref(&header), sets.as_ptr()) })?;
    Ok(())
}

/// This process's user and group.
pub(super) fn user_and_group() -> (u32, u32) {
    // SAFETY: it takes nothing and cannot fail.
    let user = unsafe { libc::geteuid() };
    // SAFETY: as above.
    let group = unsafe { libc::getegid() };
    (user, group)
}

/// Namespaces of its own for this thread.
pub(super) fn unshare(flags: libc::c_int) -> Result<()> {
    // SAFETY: numbers only. With CLONE_NEWUSER and CLONE_NEWNS it changes what names mean to this process, and no memory.
    check(libc::c_long::from(unsafe { libc::unshare(flags) }))?;
    Ok(())
}

/// Mounts on a path, which is followed if it is a link.
pub(super) fn mount(
    source: Option<&CStr>,
    target: &CStr,
    kind: Option<&CStr>,
    flags: libc::c_ulong,
) -> Result<()> {
    let pointer = |text: Option<&CStr>| text.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: all texts end with a NUL and live while the call lasts; no data is given.
    check(libc::c_long::from(unsafe {
        libc::mount(
            pointer(source),
            target.as_ptr(),
            pointer(kind),
            flags,
            std::ptr::null(),
        )
    }))?;
    Ok(())
}

/// `mount_attr`.
#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

/// Adds attributes to what is mounted on a path.
pub(super) fn mount_attributes(target: &CStr, set: u64) -> Result<()> {
    const AT_RECURSIVE: u32 = 0x8000;
    const SYS_MOUNT_SETATTR: libc::c_long = 442;
    let attr = MountAttr {
        set,
        clear: 0,
        propagation: 0,
        user_namespace: 0,
    };
    // SAFETY: the path ends with a NUL, `attr` is of the size given, both live while the call lasts; the kernel only reads.
    check(unsafe {
        libc::syscall(
            SYS_MOUNT_SETATTR,
            libc::AT_FDCWD,
            target.as_ptr(),
            AT_RECURSIVE,
            std::ptr::from_ref(&attr),
            size_of::<MountAttr>(),
        )
    })?;
    Ok(())
}

/// Writes a text into a file that is there, in one call.
pub(super) fn write_file(path: &CStr, bytes: &[u8]) -> Result<()> {
    // SAFETY: `path` ends with a NUL and lives while the call lasts.
    let fd = check(libc::c_long::from(unsafe {
        libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC)
    }))?;
    // SAFETY: just made, nobody else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
    // SAFETY: `bytes` is valid for its length while the call lasts; the kernel only reads.
    let written = unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
    check(written as libc::c_long)?;
    Ok(())
}
