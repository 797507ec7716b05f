//! A sandbox, made once and put on every process that is started with it.

use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;

use super::landlock::Rules;
use super::mounts::View;
use super::process::{self, Steps};
use super::{ApplyError, filter};
use crate::plan::{KernelPlan, Plan, ProcessPlan};

/// The kernel's part of a plan for processes, with every path open and the filter compiled.
#[derive(Debug, Clone)]
pub struct Prepared {
    steps: Arc<Steps>,
    plan: Arc<Plan>,
}

impl Prepared {
    /// Opens paths and compiles the filter. `keep`: descriptors, beside 0, 1 and 2, that the program gets. `None`: the plan has nothing for the
    /// kernel, because it is unrestricted or was accepted with less.
    ///
    /// # Errors
    /// The plan is not for processes of this kernel; a path cannot be opened; see [`ApplyError`].
    pub fn new(plan: &Plan, keep: &[RawFd]) -> Result<Option<Self>, ApplyError> {
        plan.kernel
            .as_ref()
            .map(|kernel| Self::of(plan, kernel, keep))
            .transpose()
    }

    fn of(plan: &Plan, kernel: &KernelPlan, keep: &[RawFd]) -> Result<Self, ApplyError> {
        let process: ProcessPlan = kernel.process.clone().ok_or_else(|| ApplyError::Step {
            step: "preparing a process",
            source: std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                "the plan is for a thread",
            ),
        })?;
        let mut keep = keep.to_vec();
        keep.sort_unstable();
        keep.dedup();
        let steps = Steps {
            view: View::new(&process.masks)?,
            process,
            keep,
            rules: Rules::open(&kernel.landlock)?,
            own_process: kernel.landlock.own_process,
            filter: filter::compile(&kernel.syscalls)?,
        };
        Ok(Self {
            steps: Arc::new(steps),
            plan: Arc::new(plan.clone()),
        })
    }

    /// The plan that this was made from.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Lets the command start in the sandbox, with the plan's environment and folder. What the command says later about these is its own
    /// affair. Arguments and standard streams are left alone.
    ///
    /// A start that cannot be restricted fails: [`Command::spawn`] returns the error of the step, and the program never runs.
    pub fn sandbox(&self, command: &mut Command) {
        self.arrange(command, Some(std::process::id()));
    }

    fn arrange(&self, command: &mut Command, parent: Option<u32>) {
        if let Some(env) = &self.plan.env {
            command.env_clear().envs(env);
        }
        if let Some(cwd) = &self.plan.cwd {
            command.current_dir(cwd);
        }
        let steps = Arc::clone(&self.steps);
        let apply = move || process::apply(&steps, parent).map_err(|(_, errno)| errno.into());
        // SAFETY: the closure runs between fork and exec, where only calls that are safe for signal handlers may be made. It makes system
        // calls only; `steps` was made before the fork, is only read, and is not dropped in the child.
        unsafe { command.pre_exec(apply) };
    }

    /// Restricts the process that calls it, for good. For a spawner of its own: call it in the child, right before exec. `parent` is the
    /// process id of the spawner, if it is the parent.
    ///
    /// It makes system calls only, so it may be called after the fork of a process with several threads. It restricts the calling thread: in a process
    /// with others, exec must follow, which ends them.
    ///
    /// # Errors
    /// A step failed. The process is half restricted and must end.
    pub fn apply_in_child(&self, parent: Option<u32>) -> Result<(), ApplyError> {
        process::apply(&self.steps, parent).map_err(|(step, errno)| ApplyError::at(step)(errno))
    }

    /// As [`Prepared::sandbox`], for a command that takes the place of this process (`CommandExt::exec`): for a starter that stands between a
    /// command prefix (a container, `nice`) and the worker. Whose child it is does not matter. A starter with several threads
    /// needs a plan for a [`crate::Target`] with `in_place`.
    pub fn sandbox_in_place(&self, command: &mut Command) {
        self.arrange(command, None);
    }
}
