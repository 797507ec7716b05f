//! Names for shared memory: how they look, how an object gets one, and whose it must be.
//!
//! A name is a rendezvous that any process of the user can find, so creation is exclusive and private (0600), and opening
//! believes nothing: it follows no link, and takes only an object that belongs to this user and lets no other in. A name
//! outlives every process that knows it, until [`unlink`]. Memory is there when it has its size: before, its name is taken and missing.

use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Mode, fstat, ftruncate};
use rustix::io::Errno;
use rustix::shm;

use crate::{ShmError, object};

/// macOS takes 31 bytes, and the leading slash is one of them.
const NAME_MAX: usize = 30;

fn path(name: &str) -> Result<String, ShmError> {
    let formed = (1..=NAME_MAX).contains(&name.len())
        && !name.bytes().any(|byte| byte == b'/' || byte == 0)
        && name != "."
        && name != "..";
    if formed {
        Ok(format!("/{name}"))
    } else {
        Err(ShmError::BadName { name: name.into() })
    }
}

/// An object of `len` bytes under a name that was free.
pub(crate) fn create(name: &str, len: usize) -> Result<OwnedFd, ShmError> {
    let path = path(name)?;
    let flags = shm::OFlags::CREATE | shm::OFlags::EXCL | shm::OFlags::RDWR;
    let fd =
        shm::open(path.as_str(), flags, Mode::RUSR | Mode::WUSR).map_err(|errno| match errno {
            Errno::EXIST => ShmError::NameTaken { name: name.into() },
            other => ShmError::os("shm_open")(other),
        })?;
    if let Err(errno) = ftruncate(&fd, len as u64) {
        // The name is ours since a moment and means nothing yet. That it may be gone already changes nothing for the caller.
        let _ = shm::unlink(path.as_str());
        return Err(ShmError::os("ftruncate")(errno));
    }
    Ok(fd)
}

/// The object of that name, if it is this user's own.
pub(crate) fn open(name: &str) -> Result<OwnedFd, ShmError> {
    let path = path(name)?;
    let flags = shm::OFlags::RDWR | object::SHM_OPEN_EXTRA;
    let fd = shm::open(path.as_str(), flags, Mode::empty()).map_err(|errno| match errno {
        Errno::NOENT => ShmError::NameMissing { name: name.into() },
        Errno::LOOP => ShmError::NotPrivate { name: name.into() },
        other => ShmError::os("shm_open")(other),
    })?;
    let stat = fstat(&fd).map_err(ShmError::os("fstat"))?;
    let ours = stat.st_uid == rustix::process::geteuid().as_raw();
    let others = Mode::from_raw_mode(stat.st_mode) & (Mode::RWXG | Mode::RWXO);
    if ours && others.is_empty() {
        // Its maker is between its two steps: who looks for the name until it is there looks on.
        if stat.st_size == 0 && FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            return Err(ShmError::NameMissing { name: name.into() });
        }
        Ok(fd)
    } else {
        Err(ShmError::NotPrivate { name: name.into() })
    }
}

/// Frees the name; mappings of the object stay.
pub(crate) fn unlink(name: &str) -> Result<(), ShmError> {
    shm::unlink(path(name)?.as_str()).map_err(|errno| match errno {
        Errno::NOENT => ShmError::NameMissing { name: name.into() },
        other => ShmError::os("shm_unlink")(other),
    })
}
