//! For whom a plan is made.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What runs the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// Node.js.
    Node,
    /// Deno.
    Deno,
    /// Bun.
    Bun,
    /// Any other program, or a thread of a Rust program: nobody but the kernel enforces anything.
    Native,
}

impl Runtime {
    /// As users write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Node => "Node.js",
            Self::Deno => "Deno",
            Self::Bun => "Bun",
            Self::Native => "a native program",
        }
    }
}

/// What a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A thread of the host's process.
    Thread,
    /// A process of its own.
    Process,
}

/// The first two numbers of a runtime's version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version(pub u32, pub u32);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A kind of worker, and the files that it needs whatever the policy says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// What runs the tasks.
    pub runtime: Runtime,
    /// Its version.
    #[serde(default)]
    pub version: Version,
    /// Thread or process.
    pub kind: Kind,
    /// The program of a process.
    #[serde(default)]
    pub executable: Option<PathBuf>,
    /// Files and folders of the package: always readable.
    #[serde(default)]
    pub package: Vec<PathBuf>,
    /// The modules that the tasks were made in: always readable.
    #[serde(default)]
    pub modules: Vec<PathBuf>,
    /// The native library that the worker loads at its start.
    #[serde(default)]
    pub library: Option<PathBuf>,
    /// Deno threads: the host runs with `--unstable-worker-options`, or the same in its configuration.
    #[serde(default)]
    pub worker_options: bool,
    /// Processes: a starter, which may have several threads, puts the sandbox on itself and becomes the program
    /// ([`crate::Prepared::sandbox_in_place`]). It cannot have mounts of its own then.
    #[serde(default)]
    pub in_place: bool,
}

impl Target {
    /// A target without files of its own.
    #[must_use]
    pub fn new(runtime: Runtime, version: Version, kind: Kind) -> Self {
        Self {
            runtime,
            version,
            kind,
            executable: None,
            package: Vec::new(),
            modules: Vec::new(),
            library: None,
            worker_options: false,
            in_place: false,
        }
    }

    /// As users read it in messages.
    #[must_use]
    pub fn name(&self) -> String {
        let kind = match self.kind {
            Kind::Thread => "worker threads",
            Kind::Process => "worker processes",
        };
        match self.runtime {
            Runtime::Native => format!("{kind} of {}", self.runtime.name()),
            _ => format!("{kind} of {} {}", self.runtime.name(), self.version),
        }
    }
}
