//! Who enforces each key, on which runtime, in threads and in processes: the table of the README, as code.
//!
//! What stands here as `Full` or `Partial` on Linux is tried with the real runtimes (`tests/escape_*.rs`). For other systems only the runtime's own
//! checks count, with the caveat that they were not tried there.

use std::collections::BTreeMap;

use super::files::{Grant, lies_in};
use super::grants::{Grants, Net, Programs};
use super::outcome::{Caveat as C, Enforcer as By, Key, Outcome, Strength as S};
use super::target::{Kind, Runtime, Target};
use crate::host::{Facts, Os};
use crate::policy::Scope;

/// What the functions below look at.
pub(super) struct Case<'a> {
    pub(super) target: &'a Target,
    pub(super) facts: &'a Facts,
    pub(super) grants: &'a Grants,
    /// The kernel's part of the plan is applied.
    pub(super) kernel: bool,
}

impl Case<'_> {
    fn thread(&self) -> bool {
        self.target.kind == Kind::Thread
    }

    fn node(&self, version: u32) -> bool {
        self.target.runtime == Runtime::Node && self.target.version.0 >= version
    }

    /// Deno takes permissions for a thread only with its option.
    fn deno(&self) -> bool {
        self.target.runtime == Runtime::Deno && (!self.thread() || self.target.worker_options)
    }

    /// Nobody enforces anything there.
    fn bun_thread(&self) -> bool {
        self.thread() && self.target.runtime == Runtime::Bun
    }

    /// The runtime has permissions of its own.
    fn checks(&self) -> bool {
        self.node(0) || self.deno()
    }

    /// Whether some folder is opened up around a denied place, by whoever enforces it.
    fn exceptions(&self, exact: &[Grant], kernel: bool) -> bool {
        if self.kernel && !self.thread() {
            kernel
        } else {
            exact.iter().any(|grant| grant.names)
        }
    }

    /// Both, or whoever there is, or nobody.
    fn outcome(&self, runtime: bool, kernel: bool, caveats: &[C]) -> Outcome {
        let by: Vec<By> = [(kernel && self.kernel, By::Kernel), (runtime, By::Runtime)]
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, by)| *by)
            .collect();
        let mut caveats = caveats.to_vec();
        let strong = by.contains(&By::Kernel) && !self.thread();
        if !strong && !by.is_empty() {
            caveats.push(C::NativeCode);
        }
        if self.facts.os != Os::Linux {
            caveats.push(C::NotTried);
        }
        let strength = match (strong, by.is_empty()) {
            (true, _) => S::Full,
            (false, false) => S::Partial,
            (false, true) => S::Weak,
        };
        Outcome::new(strength, &by, &caveats)
    }

    fn weak(&self, by: &[By], caveats: &[C]) -> Outcome {
        Outcome::new(S::Weak, by, caveats)
    }

    fn kernel_only(&self) -> &'static [By] {
        if self.kernel { &[By::Kernel] } else { &[] }
    }
}

/// Every key's outcome.
pub(super) fn outcomes(case: &Case<'_>) -> BTreeMap<Key, Outcome> {
    [
        (Key::Read, read(case)),
        (Key::Write, write(case)),
        (Key::Net, net(case)),
        (Key::Env, env(case)),
        (Key::Run, run(case)),
        (Key::Ffi, ffi(case)),
        (Key::Import, import(case)),
        (Key::Workers, workers(case)),
        (Key::Sys, sys(case)),
        (Key::Wasi, wasi(case)),
        (Key::Console, console(case)),
        (Key::Signals, signals(case)),
    ]
    .into()
}

fn files(case: &Case<'_>, mut caveats: Vec<C>) -> Outcome {
    if case.thread() {
        if case.checks() {
            caveats.push(C::AsyncByRuntime);
        }
        // Numbers of descriptors mean nothing to Deno's programs.
        if !case.deno() {
            caveats.push(C::SharedDescriptors);
        }
        if !case.checks() && case.kernel && case.target.runtime == Runtime::Deno {
            caveats.push(C::AsyncThreads);
            return case.weak(case.kernel_only(), &caveats);
        }
    }
    case.outcome(case.checks(), true, &caveats)
}

fn read(case: &Case<'_>) -> Outcome {
    if case.grants.reads_everything() {
        return Outcome::allowed(&[]);
    }
    if case.bun_thread() {
        return case.weak(&[], &[]);
    }
    let mut caveats = vec![C::LateSecrets];
    if case.exceptions(&case.grants.read, case.grants.read_exceptions()) {
        caveats.push(C::NewFilesUnreadable);
        // Where the runtime alone must keep to the exceptions, it is told no folder around them. Deno knows exceptions.
        if case.checks() && (case.thread() || !case.kernel) {
            caveats.push(C::FolderUnlistable);
        } else if !case.deno() {
            caveats.push(C::NamesListed);
        }
    }
    if !case.checks() {
        caveats.push(C::StatVisible);
    }
    let readable = case.facts.readable();
    let mut listed = case.facts.runtime.listed.iter();
    if case.kernel && listed.any(|folder| !lies_in(folder, &readable)) {
        caveats.push(C::NamesAround);
    }
    files(case, caveats)
}

fn write(case: &Case<'_>) -> Outcome {
    if case.grants.writes_everything() {
        return Outcome::allowed(&[]);
    }
    if case.bun_thread() {
        return case.weak(&[], &[]);
    }
    let mut caveats = Vec::new();
    if case.kernel {
        caveats.push(C::MetadataFixed);
        if case.facts.kernel.landlock < 5 {
            caveats.push(C::OldDevices);
        }
    }
    if case.exceptions(&case.grants.write, case.grants.write_exceptions()) {
        caveats.push(C::NewFilesUnwritable);
    }
    files(case, caveats)
}

fn net(case: &Case<'_>) -> Outcome {
    let old = case.kernel && case.facts.kernel.landlock < 6;
    match &case.grants.net {
        Net::Everything => Outcome::allowed(if old {
            &[C::UnixSockets, C::OldAbstract]
        } else {
            &[C::UnixSockets]
        }),
        _ if case.bun_thread() => case.weak(&[], &[]),
        Net::Nothing if case.thread() && case.target.runtime == Runtime::Deno && !case.deno() => {
            case.outcome(false, true, &[C::DnsThreads])
        }
        Net::Nothing if case.thread() && case.node(0) && !case.node(25) => {
            case.outcome(false, true, &[C::DnsThreads])
        }
        Net::Nothing => case.outcome(case.deno() || case.node(25), true, &[]),
        Net::Only(_) if case.grants.net.has_hosts() => {
            if case.deno() {
                case.outcome(true, false, &[C::NetAnyHost])
            } else {
                case.weak(case.kernel_only(), &[C::NetAnyHost, C::NetTcpOnly])
            }
        }
        // Ports alone.
        Net::Only(_) if case.facts.kernel.landlock < 4 => case.weak(&[], &[C::NetTcpOnly]),
        Net::Only(_) => {
            let caveats: &[C] = if case.thread() {
                &[C::NetTcpOnly, C::DnsThreads]
            } else {
                &[C::NetTcpOnly]
            };
            case.outcome(false, true, caveats)
        }
    }
}

fn env(case: &Case<'_>) -> Outcome {
    let unlike_linux: &[C] = if case.facts.os == Os::Linux {
        &[]
    } else {
        &[C::NotTried]
    };
    if !case.thread() {
        // Made anew when the program starts: nothing else is in its memory.
        return Outcome::new(S::Full, &[By::Kernel], unlike_linux);
    }
    match case.target.runtime {
        Runtime::Node | Runtime::Deno if case.checks() => {
            // Node.js always says what they get: what the thread has.
            let programs = case.deno() && case.grants.run != Programs::Nothing;
            let found: &[C] = if programs { &[C::EnvThreads] } else { &[] };
            let flags: &[C] = if case.deno() { &[C::NodeOptions] } else { &[] };
            Outcome::new(
                S::Partial,
                &[By::Runtime],
                &[&[C::NativeCode], found, flags, unlike_linux].concat(),
            )
        }
        _ => case.weak(&[], &[]),
    }
}

fn run(case: &Case<'_>) -> Outcome {
    match &case.grants.run {
        Programs::Everything => Outcome::allowed(&[C::RunInherits]),
        Programs::Only(_) => case.outcome(case.deno(), true, &[C::RunInherits]),
        Programs::Nothing if case.thread() => case.outcome(case.checks(), true, &[]),
        Programs::Nothing => case.outcome(
            case.checks(),
            true,
            if case.kernel { &[C::SelfReplace] } else { &[] },
        ),
    }
}

fn ffi(case: &Case<'_>) -> Outcome {
    let inside: &[C] = if case.kernel && !case.thread() {
        &[C::FfiInside]
    } else {
        &[]
    };
    match (&case.grants.ffi, case.target.runtime) {
        (Scope::Everything, _) => Outcome::allowed(inside),
        (Scope::Nothing, Runtime::Node) => Outcome::new(S::Full, &[By::Runtime], &[]),
        (_, Runtime::Deno) if case.deno() => Outcome::new(S::Full, &[By::Runtime], &[]),
        _ => case.weak(&[], inside),
    }
}

fn import(case: &Case<'_>) -> Outcome {
    let no_network = case.kernel && case.grants.net == Net::Nothing;
    // Threads of Node.js have no way to import from the network in the first place.
    let by: &[By] = if no_network && (!case.thread() || case.deno()) {
        &[By::Kernel, By::Runtime]
    } else {
        &[By::Runtime]
    };
    match case.target.runtime {
        Runtime::Node => Outcome::new(S::Full, by, &[]),
        // A thread fetches by itself, once it is restricted.
        Runtime::Deno if case.deno() && (!case.thread() || no_network) => {
            Outcome::new(S::Full, by, &[])
        }
        Runtime::Deno if case.deno() => Outcome::new(S::Partial, &[By::Runtime], &[C::NpmImports]),
        Runtime::Bun if !case.thread() => Outcome::new(S::Full, by, &[]),
        Runtime::Native => Outcome::allowed(&[]),
        Runtime::Deno | Runtime::Bun => case.weak(&[], &[]),
    }
}

fn workers(case: &Case<'_>) -> Outcome {
    let inside: &[C] = if case.kernel && !case.thread() {
        &[C::WorkersInside]
    } else {
        &[]
    };
    match case.target.runtime {
        // Not granted in a thread, whatever the policy says.
        Runtime::Node if case.grants.workers && !case.thread() => Outcome::allowed(inside),
        Runtime::Node => Outcome::new(S::Full, &[By::Runtime], &[]),
        _ if case.grants.workers => Outcome::allowed(inside),
        Runtime::Deno if case.deno() => Outcome::new(S::Partial, &[By::Guard], &[C::WorkersGuard]),
        Runtime::Deno | Runtime::Bun | Runtime::Native => case.weak(&[], inside),
    }
}

fn sys(case: &Case<'_>) -> Outcome {
    match case.grants.sys {
        Scope::Everything => Outcome::allowed(&[]),
        // Nothing native gets in to ask the kernel instead.
        _ if case.deno() && !case.thread() && case.grants.ffi == Scope::Nothing => {
            Outcome::new(S::Full, &[By::Runtime], &[])
        }
        _ if case.deno() => Outcome::new(S::Partial, &[By::Runtime], &[C::NativeCode]),
        _ => case.weak(&[], &[C::SysVisible]),
    }
}

fn wasi(case: &Case<'_>) -> Outcome {
    match case.target.runtime {
        _ if case.grants.wasi => Outcome::allowed(&[]),
        Runtime::Node => Outcome::new(S::Full, &[By::Runtime], &[]),
        _ => case.weak(&[], &[C::WasiInside]),
    }
}

fn console(case: &Case<'_>) -> Outcome {
    match case.target.runtime {
        _ if case.grants.console => Outcome::allowed(&[]),
        _ if !case.thread() => Outcome::new(S::Full, &[By::Kernel], &[]),
        Runtime::Node => Outcome::new(S::Partial, &[By::Runtime], &[C::ConsoleDescriptor]),
        Runtime::Deno | Runtime::Bun => {
            Outcome::new(S::Partial, &[By::Guard], &[C::ConsoleDescriptor])
        }
        Runtime::Native => case.weak(&[], &[C::ConsoleDescriptor]),
    }
}

fn signals(case: &Case<'_>) -> Outcome {
    if !case.kernel {
        return case.weak(&[], &[C::SignalsFree]);
    }
    if case.thread() {
        return case.outcome(false, true, &[]);
    }
    if case.facts.kernel.landlock < 6 {
        return Outcome::new(S::Partial, &[By::Kernel], &[C::OldSignals]);
    }
    case.outcome(false, true, &[])
}
