//! Why a restriction could not be put in place.

use std::path::PathBuf;

use super::sys::Errno;

/// Nothing was restricted, or too little: what was to be restricted must not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The kernel offers less than the plan was made for.
    #[error("the plan was made for Landlock version {planned}, this kernel has {found}")]
    Kernel {
        /// What the plan wants.
        planned: u32,
        /// What is there.
        found: u32,
    },
    /// A path of the plan cannot be opened.
    #[error("cannot open {} to allow it: {source}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The filter cannot be made.
    #[error("the filter of system calls cannot be made: {0}")]
    Filter(String),
    /// A step failed.
    #[error("{step}: {source}")]
    Step {
        /// Which.
        step: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

impl ApplyError {
    /// What the system says at that step.
    pub(super) fn at(step: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::Step {
            step,
            source: errno.into(),
        }
    }

    /// A stable, upper-case code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Kernel { .. } => "KNT_SANDBOX_KERNEL",
            Self::Path { .. } => "KNT_SANDBOX_PATH",
            Self::Filter(_) => "KNT_SANDBOX_FILTER",
            Self::Step { .. } => "KNT_SANDBOX",
        }
    }
}
