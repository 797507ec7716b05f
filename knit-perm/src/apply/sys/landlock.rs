//! The calls of Landlock, and what they take. As in [`super`].

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::{Result, check};

/// `landlock_ruleset_attr`. Kernels that know fewer fields take the shorter sizes.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::apply) struct RulesetAttr {
    pub(in crate::apply) files: u64,
    pub(in crate::apply) net: u64,
    pub(in crate::apply) scoped: u64,
}

/// `landlock_path_beneath_attr`, which is packed.
#[repr(C, packed)]
struct PathBeneath {
    access: u64,
    parent: i32,
}

/// `landlock_net_port_attr`.
#[repr(C)]
struct NetPort {
    access: u64,
    port: u64,
}

/// Version of Landlock's interface; an error without Landlock.
pub(in crate::apply) fn version() -> Result<u32> {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the kernel reads no memory.
    let version = check(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<u8>(),
            0_usize,
            VERSION,
        )
    })?;
    Ok(u32::try_from(version).unwrap_or(0))
}

/// Makes a ruleset of the first `size` bytes of `attr`.
pub(in crate::apply) fn ruleset(attr: &RulesetAttr, size: usize) -> Result<OwnedFd> {
    debug_assert!(size <= size_of::<RulesetAttr>());
    // SAFETY: `attr` is valid for `size` bytes while the call lasts; the kernel only reads.
    let fd = check(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::from_ref(attr),
            size,
            0_u32,
        )
    })?;
    // SAFETY: the kernel has just made this descriptor, nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Allows `access` at and below an open path.
pub(in crate::apply) fn allow_path(
    ruleset: BorrowedFd<'_>,
    parent: BorrowedFd<'_>,
    access: u64,
) -> Result<()> {
    const PATH_BENEATH: u32 = 1;
    let rule = PathBeneath {
        access,
        parent: parent.as_raw_fd(),
    };
    // SAFETY: `rule` is of the type that this kind of rule takes, and valid while the call lasts; the kernel only reads.
    check(unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            ruleset.as_raw_fd(),
            PATH_BENEATH,
            std::ptr::from_ref(&rule),
            0_u32,
        )
    })?;
    Ok(())
}

/// Allows `access` to a port.
pub(in crate::apply) fn allow_port(ruleset: BorrowedFd<'_>, port: u16, access: u64) -> Result<()> {
    const NET_PORT: u32 = 2;
    let rule = NetPort {
        access,
        port: port.into(),
    };
    // SAFETY: as above.
    check(unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            ruleset.as_raw_fd(),
            NET_PORT,
            std::ptr::from_ref(&rule),
            0_u32,
        )
    })?;
    Ok(())
}

/// Restricts this thread by the ruleset.
pub(in crate::apply) fn restrict(ruleset: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: numbers only.
    check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0_u32) })?;
    Ok(())
}
