//! What a plan says of each key: who enforces it, how well, and what remains.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A subject of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Key {
    /// Reading files.
    Read,
    /// Writing, creating and removing files.
    Write,
    /// The network.
    Net,
    /// The environment.
    Env,
    /// Starting programs.
    Run,
    /// Native addons and foreign functions.
    Ffi,
    /// Importing modules from elsewhere than files.
    Import,
    /// Worker threads of tasks' own.
    Workers,
    /// Facts about the machine.
    Sys,
    /// WASI.
    Wasi,
    /// What tasks print.
    Console,
    /// Signals to other processes, the host among them.
    Signals,
}

impl Key {
    /// As it stands in a policy; `signals` stands in none.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Net => "net",
            Self::Env => "env",
            Self::Run => "run",
            Self::Ffi => "ffi",
            Self::Import => "allowImport",
            Self::Workers => "workers",
            Self::Sys => "sys",
            Self::Wasi => "wasi",
            Self::Console => "console",
            Self::Signals => "signals",
        }
    }

    /// Whether `"strict"`, said on purpose, means nothing without it.
    #[must_use]
    pub fn is_core(self) -> bool {
        matches!(
            self,
            Self::Read | Self::Write | Self::Net | Self::Env | Self::Run
        )
    }
}

/// Who stops a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Enforcer {
    /// The kernel: native code too.
    Kernel,
    /// The runtime: JavaScript only.
    Runtime,
    /// A check of the package inside the worker: code that means no harm.
    Guard,
}

/// How far the enforcers reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Everything is allowed: there is nothing to enforce.
    Allowed,
    /// As asked.
    Full,
    /// As asked, but for the caveats.
    Partial,
    /// Not as asked: it can be got round by ordinary code.
    Weak,
}

macro_rules! caveats {
    ($($name:ident $id:literal $text:literal)*) => {
        /// What remains possible, each with a stable id.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Caveat {
            $(#[doc = $text] $name,)*
        }

        impl Caveat {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable id.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

caveats! {
    StatVisible "stat-visible" "Whether a file exists, its size, times and owner, and that it changes, can be seen anywhere: the kernel restricts what is opened, not what is asked about."
    NamesListed "denied-names-listed" "The names in a denied folder can be listed where the folder around it can; the contents of its files cannot be read."
    NamesAround "names-around-packages" "Bun finds packages only in folders that it may list: names can be seen in the folders around a node_modules that lies above the project, or that links of installed packages lead to, and in all below."
    FolderUnlistable "folder-unlistable" "A folder that holds a denied file cannot be listed, because the runtime knows no exceptions within a folder."
    NewFilesUnreadable "new-files-unreadable" "Files made after the worker's start directly in a folder that holds a denied one cannot be read by it: what is allowed there is listed once, file by file."
    NewFilesUnwritable "new-files-unwritable" "In a folder that holds a file denied for writing no new ones can be made: what is allowed there is listed once, file by file."
    LateSecrets "late-secrets" "Only what is there when the plan is made is denied, and the usual secrets are searched for in the home folder and three folders deep."
    MetadataFixed "metadata-fixed" "Modes, owners, times and attributes of files cannot be changed, also where writing is allowed. Of an open file, the attempt reports success and changes nothing, so that copying files works."
    NativeCode "native-code" "It holds against JavaScript. Native code in the same process is not stopped."
    AsyncByRuntime "async-by-runtime" "Asynchronous file calls run on threads that all share: there only the runtime checks, which follows links that lie in an allowed folder."
    AsyncThreads "async-from-threads" "Asynchronous file calls run on threads that were there before, which are not restricted."
    SharedDescriptors "shared-descriptors" "A thread has the descriptors of its process: what the host has open, and knows by number, can be read and written."
    DnsThreads "dns-from-threads" "Names can be looked up: the resolver runs on threads that all share. What a name says leaves the machine."
    NetTcpOnly "net-tcp-only" "With a list of ports only TCP is allowed. Names are looked up only if port 53 is in the list, and then over TCP."
    NetAnyHost "net-any-host" "Ports are checked by the kernel for every host alike; which hosts is checked by the runtime."
    UnixSockets "unix-sockets" "With all of the network allowed, UNIX sockets of other programs can be reached too, wherever their files lie."
    SelfReplace "self-replace" "A process can replace its own program by another one that it may read; that one runs in the same sandbox, and alone."
    RunInherits "run-inherits" "Programs that are started run in the same sandbox: the same files, the same network."
    EnvThreads "env-from-process" "Programs that a thread starts can be given its process's environment."
    NodeOptions "node-options-visible" "Deno lets every thread read the variable NODE_OPTIONS, whatever it is told."
    SysVisible "sys-visible" "Facts about the machine (number of cores, memory, host name, network addresses where a network is allowed) can be seen."
    FfiInside "ffi-inside" "Native code can be loaded from files that may be read; it runs in the same sandbox and is as restricted as the rest."
    WorkersInside "workers-inside" "Worker threads can be started. They are free of the runtime's checks, and as restricted by the kernel as the rest."
    WorkersGuard "workers-by-guard" "Only a check of the package keeps tasks from starting worker threads."
    NpmImports "npm-imports" "Importing npm: names fetches packages from the npm registry, unless the host runs with --no-npm. The names leave the machine."
    ConsoleDescriptor "console-descriptor" "Writing to descriptors 1 and 2 directly still reaches the terminal."
    OldSignals "signals-old-kernel" "The kernel is older than Linux 6.12: native code can still signal processes of the same user by tgkill."
    OldAbstract "abstract-sockets-old-kernel" "The kernel is older than Linux 6.12: with all of the network allowed, abstract UNIX sockets can be reached."
    OldDevices "devices-old-kernel" "The kernel is older than Linux 6.10: device control calls on readable devices are not restricted."
    SignalsFree "signals-unrestricted" "Processes of the same user can be signalled."
    WasiInside "wasi-inside" "WASI can be used; it reaches what the worker may reach."
    NotTried "not-tried" "This was never tried on this operating system."
}

impl Serialize for Caveat {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Caveat {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        let found = Self::ALL.iter().find(|caveat| caveat.id() == id);
        found
            .copied()
            .ok_or_else(|| serde::de::Error::custom(format!("no caveat has the id {id:?}")))
    }
}

/// What a plan says of one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Who enforces it. Nobody, if empty.
    pub by: BTreeSet<Enforcer>,
    /// How well.
    pub strength: Strength,
    /// What remains.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub caveats: BTreeSet<Caveat>,
}

impl Outcome {
    pub(super) fn new(strength: Strength, by: &[Enforcer], caveats: &[Caveat]) -> Self {
        Self {
            by: by.iter().copied().collect(),
            strength,
            caveats: caveats.iter().copied().collect(),
        }
    }

    pub(super) fn allowed(caveats: &[Caveat]) -> Self {
        Self::new(Strength::Allowed, &[], caveats)
    }
}

/// A key that cannot be enforced as asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The key of the policy.
    pub key: String,
    /// For whom, in words.
    pub runtime: String,
    /// Why not.
    pub reason: String,
    /// What can be done.
    pub way_out: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "permission.{} on {}: {}. {}",
            self.key, self.runtime, self.reason, self.way_out
        )
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Refused {
    /// Every key, at once.
    pub refusals: Vec<Refusal>,
}

impl Refused {
    /// A stable, upper-case code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "KNT_PERMISSION_UNENFORCEABLE"
    }
}
