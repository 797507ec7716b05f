//! Memory objects on Linux: memfd and its seals.
//!
//! Sources: memfd_create(2), fcntl(2) "File sealing", madvise(2), fallocate(2), and the kernel's
//! `Documentation/userspace-api/mfd_noexec.rst`.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{
    FallocateFlags, FileType, MemfdFlags, OFlags, SealFlags, Stat, fallocate, fcntl_add_seals,
    fcntl_get_seals, ftruncate, memfd_create,
};
use rustix::io::Errno;
use rustix::mm::{Advice, madvise};
use rustix::shm;

use crate::ShmError;

/// `shm_open` of the C library adds these itself; rustix, which does without it, leaves them to the caller.
pub(crate) const SHM_OPEN_EXTRA: shm::OFlags =
    shm::OFlags::from_bits_retain(OFlags::NOFOLLOW.bits() | OFlags::NONBLOCK.bits());

/// A memfd of `len` bytes, whose size nobody can change again.
pub(crate) fn create(len: usize) -> Result<OwnedFd, ShmError> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = match memfd_create("knit", flags | MemfdFlags::NOEXEC_SEAL) {
        // Before Linux 6.3 the flag is not known.
        Err(Errno::INVAL) => memfd_create("knit", flags),
        made => made,
    }
    .map_err(ShmError::os("memfd_create"))?;
    ftruncate(&fd, len as u64).map_err(ShmError::os("ftruncate"))?;
    fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
        .map_err(ShmError::os("fcntl(F_ADD_SEALS)"))?;
    Ok(fd)
}

/// Whether the descriptor is of something that has bytes to share.
pub(crate) fn check_kind(stat: &Stat) -> Result<(), ShmError> {
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
        Ok(())
    } else {
        Err(ShmError::NotMemory)
    }
}

/// Whether nobody can shrink the object any more. Seals are never lifted, so the answer holds from here on.
pub(crate) fn check_fixed(fd: BorrowedFd<'_>, _stat: &Stat) -> Result<(), ShmError> {
    match fcntl_get_seals(fd) {
        Ok(seals) if seals.contains(SealFlags::SHRINK) => Ok(()),
        // EINVAL: a file of a file system that knows no seals.
        Ok(_) | Err(Errno::INVAL) => Err(ShmError::Unsealed),
        Err(errno) => Err(ShmError::os("fcntl(F_GET_SEALS)")(errno)),
    }
}

/// Gives pages back to the system; they read as zeroes from here on.
///
/// # Safety
///
/// `base` and `len` are whole pages of one shared mapping of a memory object.
pub(crate) unsafe fn release(base: *mut u8, len: usize) -> Result<(), ShmError> {
    // SAFETY: whole pages of a mapping, as the caller promises. No reference to their bytes exists (rule 1 of `window`),
    // and atomics may change at any time.
    unsafe { madvise(base.cast(), len, Advice::LinuxRemove) }
        .map_err(ShmError::os("madvise(MADV_REMOVE)"))
}

/// Makes sure that touching the pages cannot fail.
///
/// # Safety
///
/// `base` is the mapping's address of the object's byte `start`, and both are the start of a page; `len` bytes from there
/// lie in the mapping's pages.
pub(crate) unsafe fn prefault(
    fd: BorrowedFd<'_>,
    base: *mut u8,
    start: usize,
    len: usize,
) -> Result<(), ShmError> {
    // SAFETY: pages of a mapping, as the caller promises; populating them changes no byte.
    match unsafe { madvise(base.cast(), len, Advice::LinuxPopulateWrite) } {
        // Before Linux 5.14 the advice is not known.
        Err(Errno::INVAL) => allocate(fd, start, len),
        done => done.map_err(ShmError::os("madvise(MADV_POPULATE_WRITE)")),
    }
}

/// The older way: the pages are set aside in the object, and only mapped when they are touched.
fn allocate(fd: BorrowedFd<'_>, start: usize, len: usize) -> Result<(), ShmError> {
    // Not past the end: growing is sealed off, and a file that is not sealed must not grow either.
    fallocate(fd, FallocateFlags::KEEP_SIZE, start as u64, len as u64)
        .map_err(ShmError::os("fallocate"))
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;
    use rustix::fs::fstat;
    use std::os::fd::AsFd;

    #[test]
    fn the_older_way_to_prefault_sets_the_pages_aside_under_the_seals() {
        let fd = create(100_000).unwrap();
        assert_eq!(fstat(&fd).unwrap().st_blocks, 0);
        allocate(fd.as_fd(), 0, 65_536).unwrap();
        let stat = fstat(&fd).unwrap();
        assert!(stat.st_blocks * 512 >= 65_536);
        assert_eq!(stat.st_size, 100_000);
    }
}
