//! Which outcomes are not good enough for what was asked.
//!
//! A key that the user set must be enforced as asked. `"strict"`, said on purpose, must at least hold for files, network, environment and
//! programs. What is only a default is reported instead.

use std::collections::BTreeMap;

use super::enforce::Case;
use super::grants::Net;
use super::outcome::{Key, Outcome, Refusal, Strength};
use super::target::{Kind, Runtime};
use crate::host::Os;
use crate::policy::{Policy, Scope};

/// What is weaker than it should be, and whether somebody asked for it.
pub(super) struct Weaker {
    pub(super) refusal: Refusal,
    pub(super) asked: bool,
}

pub(super) fn weaker(
    policy: &Policy,
    case: &Case<'_>,
    outcomes: &BTreeMap<Key, Outcome>,
) -> Vec<Weaker> {
    let mut found = Vec::new();
    let strict = policy.mode.is_some();
    let mut add = |key: &str, asked: bool, reason: String, way_out: &str| {
        found.push(Weaker {
            refusal: Refusal {
                key: key.to_owned(),
                runtime: case.target.name(),
                reason,
                way_out: format!("{way_out}, or take less with onWeaker: \"warn\""),
            },
            asked,
        });
    };
    if let Some((reason, way_out)) = unready(case) {
        let asked = strict
            || outcomes
                .keys()
                .any(|key| key.is_core() && asks(policy, *key));
        add("mode", asked, reason, way_out);
    }
    for key in outcomes
        .iter()
        .filter(|(_, outcome)| outcome.strength == Strength::Weak)
        .map(|(key, _)| key)
    {
        let asked = asks(policy, *key) || (strict && key.is_core());
        // What no default promises is in the outcomes, and no news.
        if !asked && !key.is_core() {
            continue;
        }
        let (reason, way_out) = why(*key, case);
        add(key.name(), asked, reason, way_out);
    }
    exceptions(policy, case, &mut add);
    found
}

/// Whether the policy sets the key to anything.
fn asks(policy: &Policy, key: Key) -> bool {
    match key {
        Key::Read => policy.read.is_some() || policy.deny_read.is_some(),
        Key::Write => policy.write.is_some() || policy.deny_write.is_some(),
        Key::Net => policy.net.is_some() || policy.deny_net.is_some(),
        Key::Env => policy.env.is_some(),
        Key::Run => policy.run.is_some() || policy.deny_run.is_some(),
        Key::Ffi => policy.ffi.is_some(),
        Key::Import => policy.allow_import == Some(false),
        Key::Workers => policy.workers.is_some(),
        Key::Sys => policy.sys.is_some(),
        Key::Wasi => policy.wasi.is_some(),
        Key::Console => policy.console.is_some(),
        Key::Signals => false,
    }
}

/// Reasons that concern all keys at once.
fn unready(case: &Case<'_>) -> Option<(String, &'static str)> {
    let target = case.target;
    if target.kind == Kind::Process && case.facts.os == Os::Linux && !case.kernel {
        let missing = if case.facts.kernel.landlock == 0 {
            "Landlock"
        } else {
            "seccomp"
        };
        return Some((
            format!(
                "this kernel has no {missing}, or has it switched off, so nothing holds a process but what its runtime checks itself"
            ),
            "Use a kernel from Linux 5.13 on with Landlock in its list of security modules, or permission: \"unsafe\"",
        ));
    }
    if target.kind == Kind::Thread && target.runtime == Runtime::Deno && !target.worker_options {
        return Some((
            "Deno takes permissions for a thread only if it runs with --unstable-worker-options"
                .into(),
            "Start Deno with --unstable-worker-options, or put \"unstable\": [\"worker-options\"] into deno.json, or use worker.runtime: \"process\"",
        ));
    }
    None
}

const PROCESS: &str = "Use worker.runtime: \"process\"";

fn why(key: Key, case: &Case<'_>) -> (String, &'static str) {
    let target = case.target;
    let process = target.kind == Kind::Process;
    let linux = case.facts.os == Os::Linux;
    let nobody = || {
        if linux {
            "neither the runtime nor the kernel can enforce it".to_owned()
        } else {
            "the runtime does not enforce it, and the kernel's means are used on Linux only"
                .to_owned()
        }
    };
    match key {
        Key::Net if case.grants.net.has_hosts() => (
            "only Deno can tell hosts apart".into(),
            "Give ports (\":443\") instead of hosts, or use worker.processRuntime: \"deno\"",
        ),
        Key::Net if matches!(case.grants.net, Net::Only(_)) && process && linux => {
            ("ports can be told apart from Linux 6.7 on (Landlock version 4)".into(), "Use net: true or net: false")
        }
        Key::Read | Key::Write | Key::Net | Key::Env | Key::Run if target.runtime == Runtime::Bun && !process => (
            "a Bun thread cannot be held: its file calls and requests run on threads that serve the host too".into(),
            PROCESS,
        ),
        Key::Ffi if matches!(case.grants.ffi, Scope::Only(_)) => ("the runtime knows all native code or none".into(), "Use ffi: true, or worker.processRuntime: \"deno\""),
        Key::Ffi => (format!("{} has no switch for foreign functions", target.runtime.name()), "Leave ffi out: in a process native code is held by the kernel"),
        Key::Sys => ("facts about the machine can be asked for by anybody".into(), "Leave sys out, or use worker.processRuntime: \"deno\""),
        Key::Workers => (format!("{} has no switch for worker threads", target.runtime.name()), "Leave workers out: in a process they are held by the kernel"),
        Key::Wasi => ("the runtime has no switch for it".into(), "Leave wasi out: it reaches what the worker may reach"),
        _ if process || target.runtime != Runtime::Bun => (nobody(), if process { "Use permission: \"unsafe\"" } else { PROCESS }),
        _ => (nobody(), PROCESS),
    }
}

/// Combinations that only some can express.
fn exceptions(policy: &Policy, case: &Case<'_>, add: &mut impl FnMut(&str, bool, String, &str)) {
    let target = case.target;
    let deno_process = target.runtime == Runtime::Deno && target.kind == Kind::Process;
    if matches!(policy.deny_net, Some(Scope::Only(_)))
        && case.grants.net != Net::Nothing
        && !deno_process
    {
        let exact = match (&policy.net, &policy.deny_net) {
            // Entries that are in both lists were taken out: nothing is left to deny.
            (Some(Scope::Only(allowed)), Some(Scope::Only(denied))) => {
                denied.iter().all(|entry| allowed.contains(entry))
            }
            _ => false,
        };
        if !exact {
            add(
                "denyNet",
                true,
                "only processes of Deno can have exceptions in what they may reach".into(),
                "List in net what may be reached",
            );
        }
    }
    if matches!(policy.deny_run, Some(Scope::Only(_)))
        && policy.run == Some(Scope::Everything)
        && !deno_process
    {
        add(
            "denyRun",
            true,
            "the kernel knows what may be started, not what may not".into(),
            "List in run what may be started",
        );
    }
    if policy.workers == Some(true)
        && target.runtime == Runtime::Node
        && target.kind == Kind::Thread
    {
        add(
            "workers",
            true,
            "a thread that a Node.js thread starts can be given other flags, and would be free of everything".into(),
            PROCESS,
        );
    }
    let flags = policy
        .deno
        .as_ref()
        .is_some_and(|deno| !deno.flags.is_empty());
    if flags && target.runtime == Runtime::Deno && target.kind == Kind::Thread {
        add(
            "deno.flags",
            true,
            "a Deno thread takes no flags".into(),
            PROCESS,
        );
    }
}
