//! What of a policy cannot be found on this machine.

use std::path::PathBuf;

/// A policy that means nothing here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A path that is not there: nothing can be allowed about it.
    #[error("permission.{key}: there is no {}; create it before the pool starts, or leave it out", path.display())]
    Missing {
        /// The key.
        key: &'static str,
        /// The path, made absolute.
        path: PathBuf,
    },
    /// A path that cannot be looked up.
    #[error("permission.{key}: {}: {source}", path.display())]
    Unreadable {
        /// The key.
        key: &'static str,
        /// The path, made absolute.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A real path that no runtime can be told of.
    #[error(
        "permission.{key}: {} has a `*`, a `,` or is not Unicode, which runtimes do not take in a path; move it, or allow a folder above",
        path.display()
    )]
    Unspeakable {
        /// The key.
        key: &'static str,
        /// The real path.
        path: PathBuf,
    },
    /// A command that is not on the path.
    #[error("permission.{key}: there is no command {command:?} in PATH")]
    NoCommand {
        /// The key.
        key: &'static str,
        /// The command.
        command: String,
    },
    /// A URL that names no file.
    #[error("permission.{key}: {url} does not name a file of this machine")]
    BadUrl {
        /// The key.
        key: &'static str,
        /// The URL.
        url: String,
    },
    /// `~` without a home.
    #[error("permission.{key}: `~` is used, and this process has no home folder (HOME is not set)")]
    NoHome {
        /// The key.
        key: &'static str,
    },
    /// A line of an environment file that is not `NAME=value`.
    #[error("permission.env.files: {}, line {line}: expected NAME=value", path.display())]
    BadEnvFile {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The runtime cannot be found.
    #[error("the worker's program {} cannot be used: {source}", path.display())]
    NoProgram {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl HostError {
    /// A stable, upper-case code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "KNT_PERMISSION_MISSING",
            Self::Unreadable { .. } => "KNT_PERMISSION_UNREADABLE",
            Self::Unspeakable { .. } => "KNT_PERMISSION_PATH",
            Self::NoCommand { .. } => "KNT_PERMISSION_COMMAND",
            Self::BadUrl { .. } => "KNT_PERMISSION_URL",
            Self::NoHome { .. } => "KNT_PERMISSION_NO_HOME",
            Self::BadEnvFile { .. } => "KNT_PERMISSION_ENV_FILE",
            Self::NoProgram { .. } => "KNT_PERMISSION_PROGRAM",
        }
    }
}
