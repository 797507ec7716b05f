//! Restricting the thread that calls, for good.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;

use super::sys::{self, Errno};
use super::{ApplyError, filter, landlock};
use crate::plan::{KernelPlan, Plan};

/// What runtimes read about their process. Not its environment, and not its memory: those are the host's.
const OWN_FILES: [&std::ffi::CStr; 4] = [
    c"/proc/self/stat",
    c"/proc/self/statm",
    c"/proc/self/status",
    c"/proc/self/cgroup",
];

/// They stay open while the process lives, or the kernel could forget what the rules are about.
static OWN: OnceLock<Vec<OwnedFd>> = OnceLock::new();

/// Restricts this thread, and all that it makes later, as the plan says. Other threads are left alone, those included that the runtime shares:
/// see the caveats of the plan. On `Ok(false)` the plan had nothing for the kernel.
///
/// The thread can never be restricted less; it may be restricted further, about 16 times.
///
/// # Errors
/// A step failed. The thread may be half restricted and must not run tasks.
pub fn restrict_thread(plan: &Plan) -> Result<bool, ApplyError> {
    plan.kernel
        .as_ref()
        .map_or(Ok(false), |kernel| restrict(kernel).map(|()| true))
}

fn restrict(plan: &KernelPlan) -> Result<(), ApplyError> {
    let at = ApplyError::at;
    let filter = filter::compile(&plan.syscalls)?;
    let ruleset = landlock::ruleset(&plan.landlock)?;
    if plan.landlock.own_process {
        for file in own().map_err(at("opening /proc/self"))? {
            landlock::allow_reading(&ruleset, file, false).map_err(at("landlock_add_rule"))?;
        }
    }
    sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1).map_err(at("PR_SET_NO_NEW_PRIVS"))?;
    sys::landlock::restrict(ruleset.as_fd()).map_err(at("landlock_restrict_self"))?;
    sys::filter(&filter).map_err(at("seccomp"))
}

/// Those files that there are: in a container without /proc there is nothing to allow.
fn own() -> Result<&'static [OwnedFd], Errno> {
    if let Some(own) = OWN.get() {
        return Ok(own);
    }
    let mut own = Vec::with_capacity(OWN_FILES.len());
    for path in OWN_FILES {
        match sys::open_path(path) {
            Ok(file) => own.push(file),
            // It passes, and no thread would ever get the rest.
            Err(errno @ Errno(libc::EMFILE | libc::ENFILE)) => return Err(errno),
            Err(_) => {}
        }
    }
    Ok(OWN.get_or_init(|| own))
}
