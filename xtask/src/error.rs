//! What can stop a command before it has a result of its own to report.

use std::path::PathBuf;

/// A command could not do its work. Tests that fail are not an error: they are a result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is wrong.
    #[error("{0}\nRun `cargo xtask help` for the commands and their flags.")]
    Usage(String),
    /// A program could not be started at all.
    #[error("cannot start `{program}`: {source}{hint}")]
    Start {
        program: String,
        hint: &'static str,
        source: std::io::Error,
    },
    /// A program that had to succeed did not.
    #[error("`{line}` failed ({status})")]
    Failed { line: String, status: String },
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Something the command needs is not there or not as it should be.
    #[error("{0}")]
    Missing(String),
}

/// The result of a step.
pub type Result<T> = std::result::Result<T, Error>;

/// Names the file in an I/O error.
pub trait At<T> {
    /// Turns the I/O error into one that names `path`.
    fn at(self, path: &std::path::Path) -> Result<T>;
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, path: &std::path::Path) -> Result<T> {
        self.map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })
    }
}
