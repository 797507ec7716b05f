//! The kernel's part of a plan: what Landlock allows, what the filter denies, what a process starts with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::files::Grant;
use super::grants::{Grants, Net, Programs};
use super::masks::Mask;
use super::syscalls::{self, Network, SyscallRule, Wanted};
use super::target::{Kind, Runtime, Target};
use crate::host::Facts;

/// What may be done below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// The names in a folder.
    List,
    /// Files' contents.
    Read,
    /// Contents, making, removing, renaming.
    Write,
    /// Contents of a device that is there; nothing is made or removed.
    Device,
    /// Starting as a program.
    Execute,
}

/// One path that Landlock allows something about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRule {
    /// The file, or the folder with all below. Without links; one that has become a link meanwhile is passed over.
    pub path: PathBuf,
    /// What is allowed.
    pub access: BTreeSet<Access>,
}

/// What Landlock is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LandlockPlan {
    /// The version of its interface that is used.
    pub version: u32,
    /// Files; everything else is denied. Executing is restricted unless every program may run.
    pub files: Vec<FileRule>,
    /// Whether starting programs is restricted too.
    pub restrict_execute: bool,
    /// It may read about itself in /proc: a process its whole folder, a thread a few files.
    pub own_process: bool,
    /// TCP ports that may be connected to and listened on. `None`: not restricted here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<BTreeSet<u16>>,
    /// No signals to processes outside.
    pub scope_signals: bool,
    /// No abstract UNIX sockets of processes outside.
    pub scope_abstract: bool,
}

/// What a process starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessPlan {
    /// The kernel ends it when the thread that started it ends.
    pub end_with_parent: bool,
    /// A crash writes no image of its memory.
    pub no_core_dump: bool,
    /// Of what the super-user may, only access to files and low ports is left.
    pub drop_capabilities: bool,
    /// Places that it does not see as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<Mask>,
    /// Descriptors from this number on are closed when the program starts, except those that the spawner names.
    pub close_from: u32,
}

/// All that the kernel enforces, in the order in which it is applied: process, Landlock, filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelPlan {
    /// Only for processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessPlan>,
    /// Files, ports, signals.
    pub landlock: LandlockPlan,
    /// System calls.
    pub syscalls: Vec<SyscallRule>,
}

pub(super) fn plan(target: &Target, facts: &Facts, grants: &Grants) -> KernelPlan {
    let thread = target.kind == Kind::Thread;
    let version = facts.kernel.landlock;
    let network = match grants.net {
        Net::Nothing => Network::Nothing,
        Net::Everything => Network::Everything,
        Net::Only(_) if grants.net.has_hosts() && target.runtime == Runtime::Deno => Network::Ip,
        Net::Only(_) => Network::Tcp,
    };
    KernelPlan {
        process: (!thread).then_some(ProcessPlan {
            // A Rust host may start workers from threads that end sooner.
            end_with_parent: target.runtime != Runtime::Native,
            no_core_dump: true,
            drop_capabilities: true,
            masks: grants.seen.masks.clone(),
            close_from: 3,
        }),
        landlock: LandlockPlan {
            version,
            files: files(target, facts, grants),
            restrict_execute: grants.run != Programs::Everything,
            own_process: true,
            ports: grants.net.ports().filter(|_| version >= 4),
            // In a thread it would keep a runtime from stopping its other threads on some kernels.
            scope_signals: !thread && version >= 6,
            scope_abstract: version >= 6,
        },
        syscalls: syscalls::rules(Wanted {
            landlock: version,
            thread,
            network,
            programs: grants.run != Programs::Nothing,
            metadata: grants.writes_everything(),
        }),
    }
}

fn files(target: &Target, facts: &Facts, grants: &Grants) -> Vec<FileRule> {
    let mut files: BTreeMap<PathBuf, BTreeSet<Access>> = BTreeMap::new();
    let mut allow = |path: &PathBuf, access: &[Access]| {
        files.entry(path.clone()).or_default().extend(access);
    };
    let read = |grant: &Grant| {
        if grant.names {
            vec![Access::List]
        } else {
            vec![Access::List, Access::Read]
        }
    };
    for grant in &grants.seen.read {
        allow(&grant.path, &read(grant));
    }
    for grant in grants.seen.write.iter().filter(|grant| !grant.names) {
        allow(&grant.path, &[Access::Write]);
    }
    for path in facts.package.iter().chain(&facts.runtime.read) {
        allow(path, &[Access::List, Access::Read]);
    }
    for path in &facts.runtime.listed {
        allow(path, &[Access::List]);
    }
    for path in &facts.runtime.own_secrets {
        allow(path, &[Access::Read]);
    }
    if grants.net != Net::Nothing || target.kind == Kind::Thread {
        for path in &facts.runtime.network {
            allow(path, &[Access::List, Access::Read]);
        }
    }
    for path in &facts.runtime.devices {
        allow(path, &[Access::Read, Access::Device]);
    }
    for path in &facts.runtime.execute {
        allow(path, &[Access::Read, Access::Execute]);
    }
    if let Programs::Only(programs) = &grants.run {
        for path in programs.iter().chain(&facts.run_execute) {
            allow(path, &[Access::Read, Access::Execute]);
        }
    }
    files
        .into_iter()
        .map(|(path, access)| FileRule { path, access })
        .collect()
}
