//! Landlock: from a plan's rules to open paths, and from those to a restricted thread.
//!
//! Paths are opened by descriptors that only name them. A thread adds them to its ruleset one by one, so it has one path open at a time.
//!
//! For processes they are opened once, in the parent, and stay open as long as the sandbox may be put on ([`Rules`]): one descriptor for each. Why
//! not one by one there as well:
//!
//! - Each child makes a ruleset of its own, because one of its rules, its own folder in /proc, is different in each: to add it to a common one would
//!   add it to those of its siblings.
//! - A child that opened them by name would find what is there now. A worker that may write could have put something else there, for the one that
//!   follows it.
//! - A rule is about an inode, and some file systems (/proc, some files of overlays) make another one for a file that nobody has open and that is looked up again.
//!   While the parent has it open, the rule holds in every process that runs.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::ApplyError;
use super::sys::landlock::RulesetAttr;
use super::sys::{self, Errno};
use crate::plan::{Access, FileRule, LandlockPlan};

// linux/landlock.h
const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const REMOVE_DIR: u64 = 1 << 4;
const REMOVE_FILE: u64 = 1 << 5;
const MAKE_DIR: u64 = 1 << 7;
const MAKE_REG: u64 = 1 << 8;
const MAKE_FIFO: u64 = 1 << 10;
const MAKE_SYM: u64 = 1 << 12;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;
/// The rights of version 1: everything below REFER, making devices and sockets among them.
const VERSION_1: u64 = (1 << 13) - 1;
/// Rights that a file can have; the others belong to folders.
const ON_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;
const BIND_TCP: u64 = 1;
const CONNECT_TCP: u64 = 1 << 1;
const SCOPE_ABSTRACT: u64 = 1;
const SCOPE_SIGNAL: u64 = 1 << 1;

/// The version of this kernel, 0 without Landlock.
pub(super) fn version() -> u32 {
    sys::landlock::version().unwrap_or(0)
}

/// The rights on files that a version knows.
fn known(version: u32) -> u64 {
    let mut rights = VERSION_1;
    for (since, right) in [(2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)] {
        if version >= since {
            rights |= right;
        }
    }
    rights
}

fn rights(access: Access) -> u64 {
    match access {
        Access::List => READ_DIR,
        Access::Read => READ_FILE,
        Access::Write => {
            WRITE_FILE
                | REMOVE_DIR
                | REMOVE_FILE
                | MAKE_DIR
                | MAKE_REG
                | MAKE_FIFO
                | MAKE_SYM
                | REFER
                | TRUNCATE
        }
        Access::Device => WRITE_FILE | TRUNCATE | IOCTL_DEV,
        Access::Execute => EXECUTE,
    }
}

/// What a plan asks for besides paths, in the kernel's numbers.
#[derive(Debug)]
struct Numbers {
    attr: RulesetAttr,
    size: usize,
    ports: Vec<u16>,
}

impl Numbers {
    fn of(plan: &LandlockPlan) -> Result<Self, ApplyError> {
        let found = version();
        if plan.version == 0 || found < plan.version {
            return Err(ApplyError::Kernel {
                planned: plan.version,
                found,
            });
        }
        let mut files = known(plan.version);
        if !plan.restrict_execute {
            files &= !EXECUTE;
        }
        let net = if plan.ports.is_some() {
            BIND_TCP | CONNECT_TCP
        } else {
            0
        };
        let scoped = if plan.scope_abstract {
            SCOPE_ABSTRACT
        } else {
            0
        } | if plan.scope_signals { SCOPE_SIGNAL } else { 0 };
        Ok(Self {
            attr: RulesetAttr { files, net, scoped },
            size: match plan.version {
                0..=3 => 8,
                4..=5 => 16,
                _ => 24,
            },
            ports: plan.ports.iter().flatten().copied().collect(),
        })
    }

    /// A ruleset that allows the ports and no path yet. Safe between fork and exec.
    fn ruleset(&self) -> Result<OwnedFd, Errno> {
        let ruleset = sys::landlock::ruleset(&self.attr, self.size)?;
        for port in &self.ports {
            sys::landlock::allow_port(ruleset.as_fd(), *port, BIND_TCP | CONNECT_TCP)?;
        }
        Ok(ruleset)
    }
}

/// The path of a rule, open, with the rights on it. `None`: nothing is allowed about it, because it is gone or is not what was meant.
fn allowed(rule: &FileRule, files: u64) -> Result<Option<(OwnedFd, u64)>, ApplyError> {
    let wanted = rule
        .access
        .iter()
        .map(|access| rights(*access))
        .fold(0, |all, one| all | one)
        & files;
    let Some(fd) = open(&rule.path)? else {
        return Ok(None);
    };
    let wanted = match sys::file_type(fd.as_fd()) {
        Ok(libc::S_IFDIR) => wanted,
        // It has become a link: what it leads to now was not meant.
        Ok(libc::S_IFLNK) => return Ok(None),
        Ok(_) => wanted & ON_FILES,
        Err(errno) => {
            return Err(ApplyError::Path {
                path: rule.path.clone(),
                source: errno.into(),
            });
        }
    };
    Ok((wanted != 0).then_some((fd, wanted)))
}

/// A ruleset with all of a plan, for this thread. It has one path open at a time.
pub(super) fn ruleset(plan: &LandlockPlan) -> Result<OwnedFd, ApplyError> {
    let numbers = Numbers::of(plan)?;
    let ruleset = numbers
        .ruleset()
        .map_err(ApplyError::at("landlock_create_ruleset"))?;
    for rule in &plan.files {
        if let Some((path, access)) = allowed(rule, numbers.attr.files)? {
            sys::landlock::allow_path(ruleset.as_fd(), path.as_fd(), access)
                .map_err(ApplyError::at("landlock_add_rule"))?;
        }
    }
    Ok(ruleset)
}

/// Open paths and numbers: all that a child needs.
#[derive(Debug)]
pub(super) struct Rules {
    numbers: Numbers,
    paths: Vec<(OwnedFd, u64)>,
}

impl Rules {
    pub(super) fn open(plan: &LandlockPlan) -> Result<Self, ApplyError> {
        let numbers = Numbers::of(plan)?;
        let paths = plan
            .files
            .iter()
            .filter_map(|rule| allowed(rule, numbers.attr.files).transpose())
            .collect::<Result<_, _>>()?;
        Ok(Self { numbers, paths })
    }

    /// A ruleset with all of it. Safe between fork and exec.
    pub(super) fn ruleset(&self) -> Result<OwnedFd, Errno> {
        let ruleset = self.numbers.ruleset()?;
        for (path, access) in &self.paths {
            sys::landlock::allow_path(ruleset.as_fd(), path.as_fd(), *access)?;
        }
        Ok(ruleset)
    }
}

/// Lets a folder or file be read besides. Safe between fork and exec.
pub(super) fn allow_reading(ruleset: &OwnedFd, path: &OwnedFd, folder: bool) -> Result<(), Errno> {
    let access = if folder {
        READ_FILE | READ_DIR
    } else {
        READ_FILE
    };
    sys::landlock::allow_path(ruleset.as_fd(), path.as_fd(), access)
}

/// `None`: it is gone, or a part of it is a link now; then nothing is allowed about it.
fn open(path: &Path) -> Result<Option<OwnedFd>, ApplyError> {
    let text = CString::new(path.as_os_str().as_bytes()).map_err(|error| ApplyError::Path {
        path: path.to_owned(),
        source: error.into(),
    })?;
    match sys::open_path_without_links(&text) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno(libc::ENOENT | libc::ELOOP | libc::ENOTDIR | libc::EACCES)) => Ok(None),
        Err(errno) => Err(ApplyError::Path {
            path: path.to_owned(),
            source: errno.into(),
        }),
    }
}
