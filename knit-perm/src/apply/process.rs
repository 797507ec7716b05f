//! What happens in a child between fork and exec.

use std::os::fd::{AsFd, IntoRawFd, RawFd};

use super::landlock::{Rules, allow_reading};
use super::mounts::View;
use super::sys::{self, Errno};
use crate::plan::ProcessPlan;

// linux/capability.h: access to files (Landlock says which), ports below 1024 (Landlock or the filter says which).
const DAC_OVERRIDE: u64 = 1 << 1;
const DAC_READ_SEARCH: u64 = 1 << 2;
const NET_BIND_SERVICE: u64 = 1 << 10;

/// Everything that a child needs, made before the fork.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) process: ProcessPlan,
    /// Descriptors that the program gets, in order.
    pub(super) keep: Vec<RawFd>,
    pub(super) view: Option<View>,
    pub(super) rules: Rules,
    pub(super) own_process: bool,
    pub(super) filter: Vec<libc::sock_filter>,
}

/// Applies all of it to this process. Only system calls; see the protocol in [`super`]. `parent`: who must still be this process's parent.
pub(super) fn apply(steps: &Steps, parent: Option<u32>) -> Result<(), (&'static str, Errno)> {
    let at = |step: &'static str| move |errno: Errno| (step, errno);
    if steps.process.no_core_dump {
        sys::no_core_dump().map_err(at("setrlimit"))?;
    }
    if let Some(view) = &steps.view {
        view.enter().map_err(at("a view of the file system"))?;
    }
    close_others(steps.process.close_from, &steps.keep).map_err(at("close_range"))?;
    sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1).map_err(at("PR_SET_NO_NEW_PRIVS"))?;
    if steps.process.drop_capabilities {
        sys::prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong,
        )
        .map_err(at("PR_CAP_AMBIENT"))?;
        sys::keep_capabilities(DAC_OVERRIDE | DAC_READ_SEARCH | NET_BIND_SERVICE)
            .map_err(at("capset"))?;
    }
    // After all that changes what the process may: such a change would take it back.
    if steps.process.end_with_parent {
        sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)
            .map_err(at("PR_SET_PDEATHSIG"))?;
        // It may have ended before that call; then nobody would end this process.
        if parent.is_some_and(|parent| parent != sys::parent()) {
            return Err(("the parent has ended", Errno(libc::ESRCH)));
        }
    }
    let ruleset = steps
        .rules
        .ruleset()
        .map_err(at("landlock_create_ruleset"))?;
    if steps.own_process {
        // In a container without /proc there is nothing to allow.
        if let Ok(own) = sys::open_path(c"/proc/self") {
            allow_reading(&ruleset, &own, true).map_err(at("landlock_add_rule"))?;
            // It stays open in the program, where it names the folder and can do nothing else: the rule holds as long as the kernel
            // remembers the folder, which it may forget while nobody has it open.
            let own = own.into_raw_fd();
            sys::set_close_on_exec(own, false).map_err(at("fcntl"))?;
        }
    }
    sys::landlock::restrict(ruleset.as_fd()).map_err(at("landlock_restrict_self"))?;
    drop(ruleset);
    sys::filter(&steps.filter).map_err(at("seccomp"))
}

/// Everything from `first` on is closed by exec, except what is kept.
fn close_others(first: u32, keep: &[RawFd]) -> Result<(), Errno> {
    let mut next = first;
    for fd in keep
        .iter()
        .filter_map(|fd| u32::try_from(*fd).ok())
        .filter(|fd| *fd >= first)
    {
        if fd > next {
            sys::close_on_exec(next, fd - 1)?;
        }
        sys::set_close_on_exec(fd as RawFd, false)?;
        next = fd + 1;
    }
    sys::close_on_exec(next, u32::MAX)
}
