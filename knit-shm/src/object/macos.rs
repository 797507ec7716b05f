//! Memory objects on macOS: a shm object that loses its name as soon as it exists.
//!
//! macOS lets the size of a shm object be set once, so none can be shrunk under somebody's feet: no seals are needed.
//! It has no way to punch a hole in one either, so [`release`] only keeps the half of its promise that others can see.
//!
//! Sources: shm_open(2) and ftruncate(2) of macOS, `bsd/kern/posix_shm.c` of xnu.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Mode, Stat, ftruncate};
use rustix::io::Errno;
use rustix::param::page_size;
use rustix::shm;

use crate::ShmError;

/// Nothing to add to `shm_open`: names live in no directory.
pub(crate) const SHM_OPEN_EXTRA: shm::OFlags = shm::OFlags::empty();

/// Tells objects apart that one process makes within one tick of its clock.
static SERIAL: AtomicU32 = AtomicU32::new(0);

/// An object of `len` bytes that only its descriptor leads to.
pub(crate) fn create(len: usize) -> Result<OwnedFd, ShmError> {
    let flags = shm::OFlags::CREATE | shm::OFlags::EXCL | shm::OFlags::RDWR;
    loop {
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.subsec_nanos());
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("/knit-{:x}-{nanos:x}-{serial:x}", std::process::id());
        match shm::open(name.as_str(), flags, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => {
                shm::unlink(name.as_str()).map_err(ShmError::os("shm_unlink"))?;
                ftruncate(&fd, len as u64).map_err(ShmError::os("ftruncate"))?;
                return Ok(fd);
            }
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(ShmError::os("shm_open")(errno)),
        }
    }
}

/// Whether the descriptor is of something that has bytes to share. A shm object has no file type at all here.
pub(crate) fn check_kind(stat: &Stat) -> Result<(), ShmError> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile | FileType::Unknown => Ok(()),
        _ => Err(ShmError::NotMemory),
    }
}

/// Whether nobody can shrink the object: a file can be shrunk, a shm object cannot.
pub(crate) fn check_fixed(_fd: BorrowedFd<'_>, stat: &Stat) -> Result<(), ShmError> {
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
        Err(ShmError::Unsealed)
    } else {
        Ok(())
    }
}

/// Makes the pages read as zeroes; they stay with the object.
///
/// # Safety
///
/// `base` and `len` are whole pages of one shared mapping of a memory object.
pub(crate) unsafe fn release(base: *mut u8, len: usize) -> Result<(), ShmError> {
    // SAFETY: the bytes are mapped and writable, as the caller promises, and no reference to them exists (rule 1 of `window`).
    unsafe { base.write_bytes(0, len) };
    Ok(())
}

/// Touches the pages, so that later touches find them.
///
/// # Safety
///
/// `len` bytes from `base` lie in the pages of one mapping.
pub(crate) unsafe fn prefault(
    _fd: BorrowedFd<'_>,
    base: *mut u8,
    _start: usize,
    len: usize,
) -> Result<(), ShmError> {
    for offset in (0..len).step_by(page_size()) {
        // SAFETY: `offset < len`, inside the mapping as the caller promises.
        let page = unsafe { base.add(offset) };
        // SAFETY: readable, as the caller promises; volatile, because the value is not wanted.
        unsafe { page.read_volatile() };
    }
    Ok(())
}
