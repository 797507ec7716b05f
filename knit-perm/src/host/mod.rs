//! What a plan must know of the machine: gathered once, then a value.
//!
//! [`Facts`] holds every answer that [`crate::plan()`] needs: real paths, what lies in the folders around denied files, the environment, what
//! the kernel can do. [`Facts::gather`] asks the machine. A test writes the value down, or reads it from JSON, and gets the same plan anywhere.
//!
//! It guarantees: every path is absolute and as the kernel sees it, without links (beside the way it was written, where that differs).
//! It does not guarantee that this stays so: who can change the folders above while workers start can change what is meant.
#![forbid(unsafe_code)]

mod dotenv;
mod elf;
mod error;
mod folders;
mod gather;
mod paths;
mod project;
mod runtime;
mod secrets;

pub use error::HostError;
pub(crate) use paths::lexical;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::policy::Scope;

/// The operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// What is tested.
    Linux,
    /// The runtimes' own checks only.
    Macos,
    /// The runtimes' own checks only.
    Windows,
}

impl Os {
    /// The one this program was built for. Systems that are neither count as macOS: nothing of the kernel is used there.
    #[must_use]
    pub const fn this() -> Self {
        if cfg!(target_os = "linux") {
            Self::Linux
        } else if cfg!(windows) {
            Self::Windows
        } else {
            Self::Macos
        }
    }
}

/// What the kernel can enforce.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kernel {
    /// Version of Landlock's interface, 0 without Landlock.
    pub landlock: u32,
    /// Whether system calls can be filtered.
    pub seccomp: bool,
    /// Whether a process can have mounts of its own.
    pub mounts: bool,
}

/// A path, as it was written (made absolute) and as the kernel sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Without links.
    pub real: PathBuf,
    /// As written; runtimes compare this one.
    pub given: PathBuf,
}

impl Place {
    /// A path that has no links.
    #[must_use]
    pub fn real(path: impl Into<PathBuf>) -> Self {
        let real = path.into();
        Self {
            given: real.clone(),
            real,
        }
    }
}

/// What a name in a folder is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entry {
    /// A folder.
    Folder,
    /// A file, a socket, a device.
    File,
    /// A link, and where it ends.
    Link(PathBuf),
}

/// The files that a runtime needs for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeFiles {
    /// Its executable, and the dynamic loader.
    pub execute: BTreeSet<PathBuf>,
    /// Libraries, configuration, facts about the machine.
    pub read: BTreeSet<PathBuf>,
    /// Devices that may be written too.
    pub devices: BTreeSet<PathBuf>,
    /// Certificates, resolver configuration: for workers with a network, and for threads, whose runtime loads them once for the whole process.
    pub network: BTreeSet<PathBuf>,
    /// Folders whose names it must see to find the modules in them.
    #[serde(default)]
    pub listed: BTreeSet<PathBuf>,
    /// Secrets that it reads itself at its start, and would not start without. Its own checks keep them from tasks.
    #[serde(default)]
    pub own_secrets: BTreeSet<PathBuf>,
}

/// Everything a plan depends on, beside the policy and the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The system.
    pub os: Os,
    /// What its kernel can do.
    pub kernel: Kernel,
    /// Where relative paths begin.
    pub cwd: Place,
    /// The host's environment.
    pub env: BTreeMap<String, String>,
    /// Variables from the files that the policy names.
    pub env_files: BTreeMap<String, String>,
    /// `read` of the policy, looked up; `None` if it was left out.
    pub read: Option<Scope<Place>>,
    /// `write`.
    pub write: Option<Scope<Place>>,
    /// `denyRead`.
    pub deny_read: Option<Scope<Place>>,
    /// `denyWrite`.
    pub deny_write: Option<Scope<Place>>,
    /// `ffi`.
    pub ffi: Option<Scope<Place>>,
    /// `run`: executables.
    pub run: Option<Scope<Place>>,
    /// `denyRun`.
    pub deny_run: Option<Scope<Place>>,
    /// Files that the executables of `run` need to start: loaders, interpreters of scripts.
    pub run_execute: BTreeSet<PathBuf>,
    /// The usual secrets that are there: files and folders.
    pub secrets: BTreeSet<PathBuf>,
    /// What may be imported: the project, and what is installed for it.
    pub imports: BTreeSet<PathBuf>,
    /// This package, the tasks' own modules.
    pub package: BTreeSet<PathBuf>,
    /// What the runtime needs.
    pub runtime: RuntimeFiles,
    /// What lies in the folders above denied files.
    pub folders: BTreeMap<PathBuf, BTreeMap<String, Entry>>,
}
