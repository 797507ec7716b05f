//! Restricting the thread that calls, for good.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;

use super::landlock::Rules;
use super::sys::{self, Errno};
use super::{ApplyError, filter};
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
    let at = |step: &'static str| {
        move |errno: Errno| ApplyError::Step {
            step,
            source: errno.into(),
        }
    };
    let rules = Rules::open(&plan.landlock)?;
    let filter = filter::compile(&plan.syscalls)?;
    let ruleset = rules.ruleset().map_err(at("landlock_create_ruleset"))?;
    if plan.landlock.own_process {
        let own = OWN.get_or_init(|| {
            OWN_FILES
                .iter()
                .filter_map(|path| sys::open_path(path).ok())
                .collect()
        });
        for file in own {
            Rules::allow_reading(&ruleset, file, false).map_err(at("landlock_add_rule"))?;
        }
    }
    sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1).map_err(at("PR_SET_NO_NEW_PRIVS"))?;
    sys::landlock::restrict(ruleset.as_fd()).map_err(at("landlock_restrict_self"))?;
    sys::filter(&filter).map_err(at("seccomp"))
}
