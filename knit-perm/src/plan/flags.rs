//! What each runtime is told: flags of a process or of a Node thread, permissions of a Deno thread.
//!
//! A path given to a runtime has no `*` and no `,` in it (that was checked when it was looked up). Both the real path and the one that was
//! written are given, since runtimes compare what the program says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::Grant;
use super::grants::{Grants, Net, Programs};
use super::target::{Kind, Runtime, Target};
use crate::host::{Facts, Place};
use crate::policy::{Policy, Scope};

/// The `deno.permissions` of a worker thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenoPermissions {
    /// Paths.
    pub read: Scope<PathBuf>,
    /// Paths.
    pub write: Scope<PathBuf>,
    /// `host:port`.
    pub net: Scope<String>,
    /// Names.
    pub env: Scope<String>,
    /// Commands.
    pub run: Scope<PathBuf>,
    /// Libraries.
    pub ffi: Scope<PathBuf>,
    /// Names.
    pub sys: Scope<String>,
    /// Nothing may be imported over the network.
    pub import: bool,
}

/// The paths for a runtime: what is granted whole, the package, and the ways in which the same was written.
struct Paths {
    read: BTreeSet<PathBuf>,
    write: BTreeSet<PathBuf>,
}

impl Paths {
    /// `exact`: the runtime alone must keep to the exceptions. Else folders are given whole, and the kernel keeps to them.
    fn of(facts: &Facts, grants: &Grants, exact: bool) -> Self {
        let chosen = |grants: &[Grant], whole: Vec<PathBuf>| -> BTreeSet<PathBuf> {
            if grants.is_empty() {
                BTreeSet::new()
            } else if exact {
                grants
                    .iter()
                    .filter(|grant| !grant.names)
                    .map(|grant| grant.path.clone())
                    .collect()
            } else {
                whole.into_iter().collect()
            }
        };
        let (mut read, mut write) = (
            chosen(&grants.read, facts.readable()),
            chosen(&grants.write, facts.writable()),
        );
        read.extend(facts.package.iter().cloned());
        let written = |scope: Option<&Scope<Place>>| {
            scope
                .into_iter()
                .flat_map(Scope::items)
                .cloned()
                .collect::<Vec<_>>()
        };
        for (paths, scope) in [
            (&mut read, facts.read.as_ref()),
            (&mut write, facts.write.as_ref()),
        ] {
            let mut places = written(scope);
            if scope.is_none() {
                places.push(facts.cwd.clone());
            }
            as_written(paths, &places);
        }
        Self { read, write }
    }
}

/// Adds every granted path below a place in the way that the place was written.
fn as_written(paths: &mut BTreeSet<PathBuf>, places: &[Place]) {
    for place in places.iter().filter(|place| place.given != place.real) {
        let more: Vec<PathBuf> = paths
            .iter()
            .filter_map(|path| path.strip_prefix(&place.real).ok())
            .map(|rest| {
                if rest.as_os_str().is_empty() {
                    place.given.clone()
                } else {
                    place.given.join(rest)
                }
            })
            .collect();
        paths.extend(more);
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The flags of a worker, in front of its script.
pub(super) fn flags(
    policy: &Policy,
    target: &Target,
    facts: &Facts,
    grants: &Grants,
    kernel: bool,
) -> Vec<String> {
    let exact = !(kernel && target.kind == Kind::Process);
    let own = |policy: &Option<crate::policy::RuntimePolicy>| {
        policy
            .iter()
            .flat_map(|policy| policy.flags.clone())
            .collect::<Vec<_>>()
    };
    match target.runtime {
        Runtime::Node => {
            let mut flags = node(target, grants, &Paths::of(facts, grants, exact));
            flags.extend(own(&policy.node));
            flags
        }
        Runtime::Deno if target.kind == Kind::Process => {
            let mut flags = deno(
                policy,
                target,
                facts,
                grants,
                &Paths::of(facts, grants, false),
            );
            flags.extend(own(&policy.deno));
            flags
        }
        Runtime::Bun if target.kind == Kind::Process => bun(target, grants),
        Runtime::Deno | Runtime::Bun | Runtime::Native => Vec::new(),
    }
}

fn node(target: &Target, grants: &Grants, paths: &Paths) -> Vec<String> {
    let mut flags = vec!["--permission".to_owned()];
    let mut add = |wanted: bool, flag: &str| {
        if wanted {
            flags.push(flag.to_owned());
        }
    };
    let process = target.kind == Kind::Process;
    add(
        target.library.is_some() || grants.ffi != Scope::Nothing,
        "--allow-addons",
    );
    add(grants.run != Programs::Nothing, "--allow-child-process");
    // A thread that a thread starts may be given other flags.
    add(grants.workers && process, "--allow-worker");
    add(grants.wasi, "--allow-wasi");
    add(
        grants.net != Net::Nothing && target.version.0 >= 25,
        "--allow-net",
    );
    add(
        grants.ffi != Scope::Nothing && target.version.0 >= 26,
        "--allow-ffi",
    );
    // It opens files without asking.
    add(
        !(grants.reads_everything() && grants.writes_everything()),
        "--no-experimental-sqlite",
    );
    // An inspector on request of any process of the same user; only the process as a whole can have it off.
    add(process, "--disable-sigusr1");
    // Node lets its entry script be read, and takes the working directory for that of a thread, with all that lies in it. Not so if it believes
    // that there is no script; a thread runs its own all the same.
    add(!process, "--interactive");
    // What it warns of is what the plan takes care of.
    add(true, "--disable-warning=PERM0001");
    // Which has no code of its own in Node.js 22.
    add(
        process || target.version.0 < 24,
        "--disable-warning=SecurityWarning",
    );
    for (flag, paths) in [
        ("--allow-fs-read", &paths.read),
        ("--allow-fs-write", &paths.write),
    ] {
        flags.extend(paths.iter().map(|path| format!("{flag}={}", text(path))));
    }
    flags
}

fn list<T: ToString>(flag: &str, items: impl IntoIterator<Item = T>) -> Option<String> {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    (!items.is_empty()).then(|| format!("{flag}={}", items.join(",")))
}

fn deno(
    policy: &Policy,
    target: &Target,
    facts: &Facts,
    grants: &Grants,
    paths: &Paths,
) -> Vec<String> {
    let permissions = permissions(target, facts, grants, paths, None);
    let mut flags: Vec<String> = ["--no-prompt", "--cached-only", "--deny-import"]
        .map(str::to_owned)
        .into();
    if !grants.import {
        flags.extend(["--no-remote", "--no-npm"].map(str::to_owned));
    }
    if grants.ffi != Scope::Nothing || target.library.is_some() {
        flags.push("--unstable-ffi".to_owned());
    }
    flags.extend(scope("--allow-read", &permissions.read, |path| text(path)));
    flags.extend(list("--deny-read", denied(&facts.denied_reads(), facts)));
    flags.extend(scope("--allow-write", &permissions.write, |path| {
        text(path)
    }));
    flags.extend(list("--deny-write", denied(&facts.denied_writes(), facts)));
    flags.extend(scope("--allow-net", &permissions.net, String::clone));
    if grants.net != Net::Nothing {
        flags.extend(list(
            "--deny-net",
            policy.deny_net.iter().flat_map(Scope::items),
        ));
    }
    // What is there may be read: the environment is made for this worker.
    flags.push("--allow-env".to_owned());
    flags.extend(scope("--allow-run", &permissions.run, |path| text(path)));
    if grants.run != Programs::Nothing {
        flags.extend(list(
            "--deny-run",
            facts
                .deny_run
                .iter()
                .flat_map(Scope::items)
                .map(|place| text(&place.real)),
        ));
    }
    flags.extend(scope("--allow-ffi", &permissions.ffi, |path| text(path)));
    flags.extend(scope("--allow-sys", &permissions.sys, String::clone));
    flags
}

/// Denied places, also in the way that the working directory was written.
fn denied(paths: &[PathBuf], facts: &Facts) -> Vec<String> {
    let mut all = paths.iter().cloned().collect();
    as_written(&mut all, std::slice::from_ref(&facts.cwd));
    all.iter().map(|path| text(path)).collect()
}

fn scope<T>(flag: &str, scope: &Scope<T>, each: impl Fn(&T) -> String) -> Option<String> {
    match scope {
        Scope::Nothing => None,
        Scope::Everything => Some(flag.to_owned()),
        Scope::Only(items) => list(flag, items.iter().map(each)),
    }
}

fn bun(target: &Target, grants: &Grants) -> Vec<String> {
    let mut flags: Vec<String> = [
        "--no-install",
        "--no-env-file",
        "--no-ffi-cc",
        "--no-macros",
    ]
    .map(str::to_owned)
    .into();
    let addon = target
        .library
        .as_ref()
        .is_some_and(|path| path.extension().is_some_and(|end| end == "node"));
    if grants.ffi == Scope::Nothing && !addon {
        flags.push("--no-addons".to_owned());
    }
    flags
}

/// The permissions of a Deno thread.
pub(super) fn deno_thread(target: &Target, facts: &Facts, grants: &Grants) -> DenoPermissions {
    let env = grants.env.keys().cloned().collect::<Vec<_>>();
    permissions(
        target,
        facts,
        grants,
        &Paths::of(facts, grants, true),
        Some(env),
    )
}

fn only<T>(items: Vec<T>) -> Scope<T> {
    if items.is_empty() {
        Scope::Nothing
    } else {
        Scope::Only(items)
    }
}

fn permissions(
    target: &Target,
    facts: &Facts,
    grants: &Grants,
    paths: &Paths,
    env: Option<Vec<String>>,
) -> DenoPermissions {
    let all = |everything: bool, paths: &BTreeSet<PathBuf>| {
        if everything {
            Scope::Everything
        } else {
            only(paths.iter().cloned().collect())
        }
    };
    DenoPermissions {
        read: all(
            facts.read == Some(Scope::Everything) && env.is_none() || grants.reads_everything(),
            &paths.read,
        ),
        write: all(grants.writes_everything(), &paths.write),
        net: match &grants.net {
            Net::Nothing => Scope::Nothing,
            Net::Everything => Scope::Everything,
            // Deno knows no port of every host; the kernel checks ports.
            Net::Only(entries) if entries.iter().any(|entry| entry.host.is_none()) => {
                Scope::Everything
            }
            Net::Only(entries) => Scope::Only(entries.iter().map(ToString::to_string).collect()),
        },
        env: env.map_or(Scope::Everything, only),
        run: match &grants.run {
            Programs::Nothing => Scope::Nothing,
            Programs::Only(programs) => {
                // Deno knows a program by the path it is started by, links and all.
                let given = facts.run.iter().flat_map(Scope::items);
                let given = given
                    .filter(|place| programs.contains(&place.real))
                    .map(|place| place.given.clone());
                let all: BTreeSet<PathBuf> = programs.iter().cloned().chain(given).collect();
                Scope::Only(all.into_iter().collect())
            }
            Programs::Everything => Scope::Everything,
        },
        ffi: match (&grants.ffi, &target.library) {
            (Scope::Everything, _) => Scope::Everything,
            (scope, library) => only(scope.items().iter().chain(library).cloned().collect()),
        },
        sys: grants.sys.clone(),
        import: false,
    }
}
