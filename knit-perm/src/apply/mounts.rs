//! A view of the file system of its own, in which some places are covered.
//!
//! A process of the super-user gets a mount namespace, any other one a user namespace with itself as the only user, and a mount namespace in that. Both
//! happen in the child, where there is one thread. Nothing of it is seen outside, and it is gone with the process.
//!
//! | covered | by | so that |
//! |---|---|---|
//! | a file | `/dev/null`, mounted where devices cannot be used | opening fails with EACCES, also for the super-user |
//! | a folder | an empty file system, read-only | nothing is in it, and nothing can be put into it |
//! | a place that may be read | itself, read-only | changes fail with EROFS |
//!
//! A place that something is mounted on cannot be renamed or removed. A worker cannot undo it: the filter denies mounts, and Landlock does too.
//!
//! Sources: user_namespaces(7), mount_namespaces(7), mount_setattr(2).

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Mutex, PoisonError};

use super::ApplyError;
use super::sys::{self, Errno};
use crate::plan::{Cover, Mask};

const NEW_MOUNTS: libc::c_int = libc::CLONE_NEWNS;
const NEW_USER: libc::c_int = libc::CLONE_NEWUSER;
// linux/mount.h
const READ_ONLY: u64 = 1;
const NO_DEVICES: u64 = 4;

/// Everything that a child needs, made before the fork.
#[derive(Debug)]
pub(super) struct View {
    masks: Vec<(CString, Cover)>,
}

impl View {
    /// `None` if there is nothing to cover.
    pub(super) fn new(masks: &[Mask]) -> Result<Option<Self>, ApplyError> {
        let path = |mask: &Mask| {
            CString::new(mask.path.as_os_str().as_bytes())
                .map(|path| (path, mask.cover))
                .map_err(|error| ApplyError::Path {
                    path: mask.path.clone(),
                    source: error.into(),
                })
        };
        let masks = masks.iter().map(path).collect::<Result<Vec<_>, _>>()?;
        Ok((!masks.is_empty()).then_some(Self { masks }))
    }

    /// Makes the view and enters it. Safe between fork and exec.
    pub(super) fn enter(&self) -> Result<(), Errno> {
        let (user, group) = sys::user_and_group();
        if sys::unshare(NEW_MOUNTS).is_err() {
            sys::unshare(NEW_USER | NEW_MOUNTS)?;
            // Without it an unprivileged process may not write the other.
            sys::write_file(c"/proc/self/setgroups", b"deny")?;
            sys::write_file(c"/proc/self/uid_map", itself(user).text())?;
            sys::write_file(c"/proc/self/gid_map", itself(group).text())?;
        }
        // What is mounted here later is not seen elsewhere.
        sys::mount(None, c"/", None, libc::MS_REC | libc::MS_SLAVE)?;
        for (path, cover) in &self.masks {
            match self::cover(path, *cover) {
                // It is gone: there is nothing to hide.
                Ok(()) | Err(Errno(libc::ENOENT)) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }
}

/// A user or group that is mapped to itself: `id id 1`, made without allocating.
struct Line {
    bytes: [u8; 24],
    start: usize,
}

impl Line {
    fn text(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Puts bytes in front.
    fn push(&mut self, byte: u8) {
        self.start -= 1;
        self.bytes[self.start] = byte;
    }

    fn push_number(&mut self, mut number: u32) {
        loop {
            self.push(b'0' + (number % 10) as u8);
            number /= 10;
            if number == 0 {
                return;
            }
        }
    }
}

fn itself(id: u32) -> Line {
    // Two numbers of at most ten digits, two spaces, a one.
    let mut line = Line {
        bytes: [0; 24],
        start: 24,
    };
    line.push(b'1');
    line.push(b' ');
    line.push_number(id);
    line.push(b' ');
    line.push_number(id);
    line
}

fn cover(path: &CStr, cover: Cover) -> Result<(), Errno> {
    match cover {
        Cover::File => {
            sys::mount(Some(c"/dev/null"), path, None, libc::MS_BIND)?;
            sys::mount_attributes(path, READ_ONLY | NO_DEVICES)
        }
        Cover::Folder => {
            let flags = libc::MS_RDONLY | libc::MS_NODEV | libc::MS_NOSUID | libc::MS_NOEXEC;
            sys::mount(Some(c"none"), path, Some(c"tmpfs"), flags)
        }
        Cover::ReadOnly => {
            sys::mount(Some(path), path, None, libc::MS_BIND | libc::MS_REC)?;
            sys::mount_attributes(path, READ_ONLY)
        }
    }
}

/// Whether a child of this process can do all that. Tried in a child, once for each user that this process has been.
pub(super) fn available() -> bool {
    static KNOWN: Mutex<Option<((u32, u32), bool)>> = Mutex::new(None);
    let who = sys::user_and_group();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, available)) = known.filter(|(known, _)| *known == who) {
        return available;
    }
    let mask = |path: &CStr, cover| (path.to_owned(), cover);
    let view = View {
        masks: vec![
            mask(c"/dev/zero", Cover::File),
            mask(c"/proc", Cover::Folder),
            mask(c"/dev", Cover::ReadOnly),
        ],
    };
    let available = sys::child::succeeds_in_child(|| view.enter().is_ok());
    *known = Some((who, available));
    available
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_mapped_to_itself() {
        assert_eq!(itself(0).text(), b"0 0 1");
        assert_eq!(itself(1000).text(), b"1000 1000 1");
        assert_eq!(itself(u32::MAX).text(), b"4294967295 4294967295 1");
    }
}
