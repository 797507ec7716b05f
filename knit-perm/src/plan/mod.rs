//! From a policy to all that must be done for one kind of worker.
//!
//! [`plan()`] is a pure function of policy, target and facts: no file, no clock, no environment is looked at. It guarantees that every key is in the
//! result, with who enforces it and what remains; that what was asked for and cannot be enforced is refused, all of it at once, before
//! anything is started; that the same input gives the same bytes.
//!
//! It does not guarantee anything by itself: a plan holds when its parts are carried out, the flags and the environment by who starts the worker,
//! the kernel's part by [`crate::Prepared`] or [`crate::restrict_thread`], the boot steps by the worker's entry module.
//!
//! # Protocol
//!
//! 1. [`crate::Facts::gather`], then `plan`. On [`Refused`] nothing is started.
//! 2. Process: its argv is the program, [`Plan::flags`], the script; its environment is exactly [`Plan::env`]; [`crate::Prepared::sandbox`].
//!    Thread: [`Plan::flags`] as `execArgv`, [`Plan::deno`] as `deno.permissions`, [`Plan::env`] as `env`.
//! 3. The worker's entry carries out [`Plan::boot`] before it loads any task.
//! 4. What fails is explained by [`Plan::denial`].
#![forbid(unsafe_code)]

mod boot;
mod denial;
mod enforce;
mod environment;
mod files;
mod flags;
mod grants;
mod kernel;
mod masks;
mod outcome;
mod refuse;
mod syscalls;
mod target;

pub use boot::BootStep;
pub use denial::{Denial, Failure};
pub use files::Grant;
pub use flags::DenoPermissions;
pub use kernel::{Access, FileRule, KernelPlan, LandlockPlan, ProcessPlan};
pub use masks::{Cover, Mask};
pub use outcome::{Caveat, Enforcer, Key, Outcome, Refusal, Refused, Strength};
pub use syscalls::{Answer, SyscallRule, Test};
pub use target::{Kind, Runtime, Target, Version};

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::host::{Facts, Os};
use crate::policy::{Mode, OnWeaker, Policy};
use enforce::Case;
use grants::Grants;

/// All that must be done for a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Nothing is enforced, and all below is empty.
    pub unrestricted: bool,
    /// Flags: of a process before its script, of a Node thread its `execArgv`.
    pub flags: Vec<String>,
    /// The whole environment; `None`: the host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// Where a process starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<PathBuf>,
    /// Whether what the worker prints is shown.
    pub console: bool,
    /// A Deno thread's permissions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deno: Option<DenoPermissions>,
    /// What the kernel enforces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<KernelPlan>,
    /// Steps before any task is loaded.
    pub boot: Vec<BootStep>,
    /// What may be read. Only for [`Plan::denial`].
    pub read: Vec<Grant>,
    /// What may be written.
    pub write: Vec<Grant>,
    /// Every key, who enforces it, and what remains.
    pub keys: BTreeMap<Key, Outcome>,
    /// Weaker than the default, or than asked with `onWeaker: "warn"`: to be reported once.
    pub weaker: Vec<Refusal>,
}

impl Plan {
    fn unrestricted() -> Self {
        let keys = [
            Key::Read,
            Key::Write,
            Key::Net,
            Key::Env,
            Key::Run,
            Key::Ffi,
            Key::Import,
            Key::Workers,
            Key::Sys,
            Key::Wasi,
            Key::Console,
            Key::Signals,
        ];
        Self {
            unrestricted: true,
            flags: Vec::new(),
            env: None,
            cwd: None,
            console: true,
            deno: None,
            kernel: None,
            boot: Vec::new(),
            read: Vec::new(),
            write: Vec::new(),
            keys: keys.map(|key| (key, Outcome::allowed(&[]))).into(),
            weaker: Vec::new(),
        }
    }
}

/// Says what must be done so that `policy` holds for `target`.
///
/// # Errors
/// Something that was asked for cannot be enforced there, and `onWeaker` is not `"warn"`.
pub fn plan(policy: &Policy, target: &Target, facts: &Facts) -> Result<Plan, Refused> {
    if policy.mode == Some(Mode::Unsafe) {
        return Ok(Plan::unrestricted());
    }
    let grants = Grants::of(policy, target, facts);
    // A thread of Bun makes threads that serve the whole process: restricted, they would fail the host.
    let bun_thread = (target.runtime, target.kind) == (Runtime::Bun, Kind::Thread);
    // Both or neither: each closes what the other leaves open.
    let kernel =
        facts.os == Os::Linux && facts.kernel.landlock > 0 && facts.kernel.seccomp && !bun_thread;
    let case = Case {
        target,
        facts,
        grants: &grants,
        kernel,
    };
    let keys = enforce::outcomes(&case);
    let (asked, defaults): (Vec<_>, Vec<_>) = refuse::weaker(policy, &case, &keys)
        .into_iter()
        .partition(|weaker| weaker.asked);
    if !asked.is_empty() && policy.on_weaker == OnWeaker::Refuse {
        let refusals = asked.into_iter().map(|weaker| weaker.refusal).collect();
        return Err(Refused { refusals });
    }
    let thread = target.kind == Kind::Thread;
    let deno_thread = thread && target.runtime == Runtime::Deno && target.worker_options;
    let mut env = grants.env.clone();
    if let (Runtime::Deno, false) = (target.runtime, thread) {
        env.insert("DENO_NO_UPDATE_CHECK".into(), "1".into());
        environment::keep_deno_folder(&mut env, facts);
    }
    if grants.net.ports().is_some_and(|ports| ports.contains(&53)) && kernel && !thread {
        // Names over TCP: nothing else gets out.
        env.insert("RES_OPTIONS".into(), "use-vc".into());
    }
    Ok(Plan {
        unrestricted: false,
        flags: flags::flags(policy, target, facts, &grants, kernel),
        env: Some(env),
        cwd: (!thread).then(|| facts.cwd.given.clone()),
        console: grants.console,
        deno: deno_thread.then(|| flags::deno_thread(target, facts, &grants)),
        kernel: kernel.then(|| kernel::plan(target, facts, &grants)),
        boot: boot::steps(target, &grants, kernel),
        keys,
        weaker: asked
            .into_iter()
            .chain(defaults)
            .map(|weaker| weaker.refusal)
            .collect(),
        read: grants.read,
        write: grants.write,
    })
}
