//! What a policy allows on this machine, before it is said to anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::environment;
use super::files::Grant;
use super::masks::{self, Seen};
use super::target::{Kind, Target};
use crate::host::Facts;
use crate::policy::{NetEntry, Policy, Scope};

/// Where connections may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Net {
    Nothing,
    Only(Vec<NetEntry>),
    Everything,
}

impl Net {
    /// Every entry's port, if all have one.
    pub(super) fn ports(&self) -> Option<BTreeSet<u16>> {
        match self {
            Self::Only(entries) => entries.iter().map(|entry| entry.port).collect(),
            Self::Nothing | Self::Everything => None,
        }
    }

    /// Whether it names hosts.
    pub(super) fn has_hosts(&self) -> bool {
        matches!(self, Self::Only(entries) if entries.iter().any(|entry| entry.host.is_some()))
    }
}

/// Which programs may be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Programs {
    Nothing,
    Only(BTreeSet<PathBuf>),
    Everything,
}

/// All of it.
#[derive(Debug, Clone)]
pub(super) struct Grants {
    /// Without any denied place.
    pub(super) read: Vec<Grant>,
    pub(super) write: Vec<Grant>,
    /// What the kernel is told: some denied places are covered instead.
    pub(super) seen: Seen,
    pub(super) net: Net,
    pub(super) run: Programs,
    pub(super) env: BTreeMap<String, String>,
    pub(super) ffi: Scope<PathBuf>,
    pub(super) sys: Scope<String>,
    pub(super) import: bool,
    pub(super) workers: bool,
    pub(super) wasi: bool,
    pub(super) console: bool,
}

impl Grants {
    pub(super) fn of(policy: &Policy, target: &Target, facts: &Facts) -> Self {
        let mounts = facts.kernel.mounts && target.kind == Kind::Process && !target.in_place;
        let exact = masks::seen(facts, false);
        Self {
            seen: if mounts {
                masks::seen(facts, true)
            } else {
                exact.clone()
            },
            read: exact.read,
            write: exact.write,
            net: net(policy),
            run: programs(facts),
            env: environment::reduced(policy, target, facts),
            ffi: match &facts.ffi {
                None | Some(Scope::Nothing) => Scope::Nothing,
                Some(Scope::Everything) => Scope::Everything,
                Some(scope) => Scope::Only(
                    scope
                        .items()
                        .iter()
                        .map(|place| place.real.clone())
                        .collect(),
                ),
            },
            sys: policy.sys.clone().unwrap_or(Scope::Nothing),
            import: policy.allow_import.unwrap_or(true),
            workers: policy.workers.unwrap_or(false),
            wasi: policy.wasi.unwrap_or(false),
            console: policy.console.unwrap_or(true),
        }
    }

    /// Whether every file may be written.
    pub(super) fn writes_everything(&self) -> bool {
        self.write
            .iter()
            .any(|grant| grant.path.parent().is_none() && !grant.names)
    }

    /// Whether every file may be read.
    pub(super) fn reads_everything(&self) -> bool {
        self.read
            .iter()
            .any(|grant| grant.path.parent().is_none() && !grant.names)
    }

    /// Whether some folder had to be opened up around denied places.
    pub(super) fn read_exceptions(&self) -> bool {
        self.seen.read.iter().any(|grant| grant.names)
    }

    pub(super) fn write_exceptions(&self) -> bool {
        self.seen.write.iter().any(|grant| grant.names)
    }
}

fn places(scope: Option<&Scope<crate::host::Place>>) -> Vec<PathBuf> {
    scope
        .into_iter()
        .flat_map(Scope::items)
        .map(|place| place.real.clone())
        .collect()
}

fn net(policy: &Policy) -> Net {
    if policy.deny_net == Some(Scope::Everything) {
        return Net::Nothing;
    }
    match &policy.net {
        None | Some(Scope::Nothing) => Net::Nothing,
        Some(Scope::Everything) => Net::Everything,
        Some(Scope::Only(entries)) => {
            let denied = policy
                .deny_net
                .iter()
                .flat_map(Scope::items)
                .collect::<BTreeSet<_>>();
            let left: Vec<NetEntry> = entries
                .iter()
                .filter(|entry| !denied.contains(entry))
                .cloned()
                .collect();
            if left.is_empty() {
                Net::Nothing
            } else {
                Net::Only(left)
            }
        }
    }
}

fn programs(facts: &Facts) -> Programs {
    let denied = places(facts.deny_run.as_ref());
    match (&facts.run, &facts.deny_run) {
        (None | Some(Scope::Nothing), _) | (_, Some(Scope::Everything)) => Programs::Nothing,
        (Some(Scope::Everything), _) => Programs::Everything,
        (Some(Scope::Only(allowed)), _) => {
            let left: BTreeSet<PathBuf> = allowed
                .iter()
                .map(|place| place.real.clone())
                .filter(|path| !denied.contains(path))
                .collect();
            if left.is_empty() {
                Programs::Nothing
            } else {
                Programs::Only(left)
            }
        }
    }
}
