//! Carrying out plans that come as text, for bindings: [`crate::json`] makes them, this does what they say.
//!
//! | who | calls | when |
//! |---|---|---|
//! | the host | [`Sandbox::new`] once, [`Sandbox::put_on`] for each process | before it starts them |
//! | a worker thread | [`restrict`] | before it loads what it is not trusted with |
//! | a starter behind a command prefix | [`become_program`] | at once: it is the worker afterwards |
//!
//! It guarantees that what a plan has for the kernel is in place when a call has succeeded. Elsewhere than on Linux plans have nothing for it.
#![forbid(unsafe_code)]

use std::process::Command;

use crate::{ApplyError, Plan};

/// Why a plan was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BorderError {
    /// The text is no plan.
    #[error("this is no plan: {0}")]
    NoPlan(#[from] serde_json::Error),
    /// The kernel's part failed: nothing may run that relies on it.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The program cannot be started.
    #[error("{program}: {source}")]
    Program {
        /// Its name.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// Plans of this kind are carried out on Linux.
    #[error("a program can be put in a sandbox on Linux only")]
    NotHere,
}

impl BorderError {
    /// A stable, upper-case code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPlan(_) => "KNT_PERMISSION_REQUEST",
            Self::Apply(error) => error.code(),
            Self::Program { .. } => "KNT_SPAWN",
            Self::NotHere => "KNT_SANDBOX_OS",
        }
    }
}

fn read(plan: &str) -> Result<Plan, BorderError> {
    Ok(serde_json::from_str(plan)?)
}

/// What a plan has for the processes of a pool, ready to be put on each.
#[derive(Debug)]
pub struct Sandbox {
    #[cfg(target_os = "linux")]
    prepared: Option<crate::Prepared>,
    /// What the processes print is not to be shown.
    pub quiet: bool,
}

impl Sandbox {
    /// Prepares it: paths are opened, the filter is compiled.
    ///
    /// # Errors
    /// The text is no plan for processes of this kernel; a path cannot be opened.
    pub fn new(plan: &str) -> Result<Self, BorderError> {
        let plan = read(plan)?;
        Ok(Self {
            #[cfg(target_os = "linux")]
            prepared: crate::Prepared::new(&plan, &[])?,
            quiet: !plan.console,
        })
    }

    /// Lets the command start with it; see [`crate::Prepared::sandbox`].
    pub fn put_on(&self, command: &mut Command) {
        #[cfg(target_os = "linux")]
        if let Some(prepared) = &self.prepared {
            prepared.sandbox(command);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = command;
    }
}

/// Restricts the thread that calls, for good; see [`crate::restrict_thread`]. `Ok(false)`: the plan has nothing for it.
///
/// # Errors
/// The text is no plan for threads of this kernel, or a step failed. The thread must not go on.
pub fn restrict(plan: &str) -> Result<bool, BorderError> {
    let plan = read(plan)?;
    #[cfg(target_os = "linux")]
    return Ok(crate::restrict_thread(&plan)?);
    #[cfg(not(target_os = "linux"))]
    Ok(plan.kernel.is_some())
}

/// Becomes another program, in the sandbox of a plan for a [`crate::Target`] with `in_place`. The program gets this one's standard streams, its folder and its
/// environment, but for the variables named in `without`: what stands around it (a container, `nice`) has prepared them. Of other descriptors it gets those in `keep`.
///
/// It returns only if it has failed; this process may be half restricted then, and must end.
pub fn become_program(plan: &str, words: &[&str], without: &[&str], keep: &[i32]) -> BorderError {
    let plan = match read(plan) {
        Ok(plan) => plan,
        Err(error) => return error,
    };
    become_it(plan, words, without, keep)
}

#[cfg(target_os = "linux")]
fn become_it(mut plan: Plan, words: &[&str], without: &[&str], keep: &[i32]) -> BorderError {
    use std::os::fd::AsFd;
    use std::os::unix::process::CommandExt;

    let Some((program, arguments)) = words.split_first() else {
        return BorderError::Program {
            program: String::new(),
            source: std::io::ErrorKind::InvalidInput.into(),
        };
    };
    (plan.env, plan.cwd) = (None, None);
    let mut command = Command::new(program);
    command.args(arguments);
    for name in without {
        command.env_remove(name);
    }
    let failed = |source| BorderError::Program {
        program: (*program).to_owned(),
        source,
    };
    // Copies: runtimes mark their own streams to be closed.
    let copy = |fd: std::os::fd::BorrowedFd<'_>| fd.try_clone_to_owned();
    let streams = (
        copy(std::io::stdin().as_fd()),
        copy(std::io::stdout().as_fd()),
        copy(std::io::stderr().as_fd()),
    );
    match streams {
        (Ok(stdin), Ok(stdout), Ok(stderr)) => {
            command.stdin(stdin).stdout(stdout).stderr(stderr);
        }
        (stdin, stdout, stderr) => {
            let source = [stdin, stdout, stderr].into_iter().find_map(Result::err);
            return failed(source.unwrap_or_else(std::io::Error::last_os_error));
        }
    }
    match crate::Prepared::new(&plan, keep) {
        Ok(Some(prepared)) => prepared.sandbox_in_place(&mut command),
        Ok(None) => {}
        Err(error) => return error.into(),
    }
    failed(command.exec())
}

#[cfg(not(target_os = "linux"))]
fn become_it(_: Plan, _: &[&str], _: &[&str], _: &[i32]) -> BorderError {
    BorderError::NotHere
}
