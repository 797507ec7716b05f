//! Task code that tries to get out of a strict process, on every runtime, by every way that we know.
//!
//! Every attempt must fail, or be what a caveat of the plan says. A caveat that no attempt shows is wrong too. What a worker is for must go on working.
#![cfg(target_os = "linux")]

#[path = "support/field.rs"]
mod field;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use field::{Field, finish, installed, report};
use knit_perm::plan::Caveat;
use knit_perm::{Facts, Kind, Policy, Prepared, Runtime, Target, Version, kernel, plan};
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    name: String,
    got: Option<String>,
    error: Option<String>,
}

/// The caveat that an attempt's success shows, or (`false`) its failure.
fn shows(name: &str, got: bool) -> Option<&'static [Caveat]> {
    Some(match (name, got) {
        ("stat outside" | "watch outside", true) => &[Caveat::StatVisible],
        ("host name" | "native: the machine's name", true) => &[Caveat::SysVisible],
        ("wasi", true) => &[Caveat::WasiInside],
        ("a secret made later", true) => &[Caveat::LateSecrets],
        ("read: names in .git", true) => &[Caveat::NamesListed],
        ("workers: start one" | "workers: start one by node:worker_threads", true) => {
            &[Caveat::WorkersInside, Caveat::WorkersGuard]
        }
        ("native: load a library" | "native: load an addon" | "native: require an addon", true) => {
            &[Caveat::FfiInside]
        }
        ("a new file is readable", false) => &[Caveat::NewFilesUnreadable],
        ("a mode in the working directory", false) => &[Caveat::MetadataFixed],
        _ => return None,
    })
}

fn host_env(field: &Field) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = std::env::vars().collect();
    env.insert("HOST_SECRET".into(), field::SECRET.into());
    env.insert("NODE_OPTIONS".into(), "--no-warnings".into());
    env.insert("HOME".into(), field.root.join("home").display().to_string());
    env
}

fn lines(out: &str) -> Vec<Line> {
    out.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Attempts that get no answer even so: nobody speaks these protocols here, or there is no network. That something was sent is what the field sees.
const UNANSWERED: [&str; 7] = [
    "net: WebSocket",
    "net: Deno.resolveDns",
    "net: Bun.sql",
    "import: npm",
    "import: jsr",
    "import: installed on the fly",
    "import: over http",
];

/// Without a sandbox the attempts succeed: what the other tests see denied is denied by the sandbox, and not by a mistake in the attempt.
fn control(program: &Path, flags: &[&str]) {
    let field = Field::new();
    // These would change the machine, or end this test.
    let spare = [
        "write: the host's settings",
        "write: the host's name",
        "write: a kernel setting",
        "inspector: of the host",
        "native: fork",
        "native: trace the host",
    ];
    field.write_config(&spare);
    if let Some(node) = installed("node24/bin/node") {
        field.write_database(&node);
    }
    let mut command = Command::new(program);
    command
        .args(flags)
        .arg(field.project().join("main.mjs"))
        .current_dir(field.project())
        .env_clear()
        .envs(host_env(&field));
    let (code, out, err) = finish(&mut command);
    assert_eq!(code, Some(0), "{out}\n{err}");
    let failed: Vec<String> = lines(&out)
        .into_iter()
        .filter(|line| line.got.is_none() && !UNANSWERED.contains(&line.name.as_str()))
        .map(|line| format!("{}: {}", line.name, line.error.unwrap_or_default()))
        .collect();
    assert!(
        failed.is_empty(),
        "not even without a sandbox:\n{}",
        failed.join("\n")
    );
    assert!(lines(&out).iter().filter(|line| line.got.is_some()).count() > 90);
}

/// Shown by native code, in `native.rs`.
const NATIVE: [Caveat; 1] = [Caveat::SelfReplace];

/// With mounts of its own, and without: they are not there on every machine.
fn attack(runtime: Runtime, program: &Path) {
    for mounts in [true, false] {
        attack_with(runtime, program, mounts);
    }
}

fn attack_with(runtime: Runtime, program: &Path, mounts: bool) {
    let version = version(program);
    let field = Field::new();
    field.write_config(&[]);
    if let Some(node) = installed("node24/bin/node") {
        field.write_database(&node);
    }
    let mut target = Target::new(runtime, version, Kind::Process);
    target.executable = Some(program.to_owned());
    target.package = vec![field.root.join("package")];
    target.modules = vec![field.project().join("main.mjs")];
    let policy = Policy::from_json(&format!(
        r#"{{ "mode": "strict", "cwd": "{}" }}"#,
        field.project().display()
    ))
    .unwrap();
    let mut env: std::collections::BTreeMap<String, String> = std::env::vars().collect();
    env.insert("HOST_SECRET".into(), field::SECRET.into());
    env.insert("NODE_OPTIONS".into(), "--no-warnings".into());
    env.insert("HOME".into(), field.root.join("home").display().to_string());
    let mut ability = kernel(&env);
    if mounts && !ability.mounts {
        return report("not run: this machine lets no process have mounts of its own");
    }
    ability.mounts = mounts;
    let facts = Facts::gather(&policy, &target, env, ability).unwrap();
    let plan = plan(&policy, &target, &facts).unwrap();
    let sandbox = Prepared::new(&plan, &[])
        .unwrap()
        .expect("this kernel has Landlock and seccomp");

    let mut command = Command::new(program);
    command
        .args(&plan.flags)
        .arg(field.project().join("main.mjs"));
    sandbox.sandbox(&mut command);
    let (code, out, err) = finish(&mut command);
    let lines = lines(&out);
    assert_eq!(code, Some(0), "the attacker's end\n{out}\n{err}");

    let documented: BTreeSet<Caveat> = plan
        .keys
        .values()
        .flat_map(|outcome| outcome.caveats.iter().copied())
        .collect();
    let (mut attempts, mut denied, mut works) = (0, 0, 0);
    let mut shown = BTreeSet::new();
    let mut wrong = Vec::new();
    for Line { name, got, error } in &lines {
        let said = got.as_deref().or(error.as_deref()).unwrap_or("");
        if std::env::var_os("KNIT_PERM_SHOW").is_some() {
            report(&format!(
                "{} {name}: {said}",
                if got.is_some() { "GOT   " } else { "denied" }
            ));
        }
        if let Some(caveats) = shows(name, got.is_some()) {
            attempts += 1;
            let known: Vec<Caveat> = caveats
                .iter()
                .copied()
                .filter(|caveat| documented.contains(caveat))
                .collect();
            if known.is_empty() {
                wrong.push(format!("no caveat names it: {name}: {said}"));
            }
            shown.extend(known);
        } else if name.starts_with("work: ") {
            works += 1;
            if got.is_none() {
                wrong.push(format!("must go on working: {name}: {said}"));
            }
        } else {
            attempts += 1;
            denied += usize::from(got.is_none());
            if got.is_some()
                && !["a new file is readable", "a mode in the working directory"]
                    .contains(&name.as_str())
            {
                wrong.push(format!("not denied: {name}: {said}"));
            }
        }
    }
    for caveat in documented
        .difference(&shown)
        .filter(|caveat| !NATIVE.contains(caveat))
    {
        wrong.push(format!(
            "the caveat {} is not shown by any attempt",
            caveat.id()
        ));
    }
    assert!(
        wrong.is_empty(),
        "{} {version}:\n{}\n{err}",
        runtime.name(),
        wrong.join("\n")
    );
    assert!(
        attempts > 80 && works > 10,
        "{attempts} attempts, {works} uses"
    );
    field.assert_untouched();
    let ids: Vec<&str> = shown.iter().map(|caveat| caveat.id()).collect();
    report(&format!(
        "escape, {} {version} process{}: {attempts} attempts, {denied} denied, {} documented ({}); {works} uses work",
        runtime.name(),
        if mounts { ", own mounts" } else { "" },
        attempts - denied,
        ids.join(" ")
    ));
}

fn version(program: &Path) -> Version {
    let (_, out, _) = finish(Command::new(program).arg("--version"));
    let text = out.trim_start_matches("deno ").trim_start_matches('v');
    let mut numbers = text.split('.').map(|number| number.parse().unwrap());
    Version(numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn nothing_gets_out_of_a_strict_process_of_node_22() {
    installed("node22/bin/node").inspect(|program| attack(Runtime::Node, program));
}

#[test]
fn nothing_gets_out_of_a_strict_process_of_node_24() {
    installed("node24/bin/node").inspect(|program| attack(Runtime::Node, program));
}

#[test]
fn nothing_gets_out_of_a_strict_process_of_node_26() {
    installed("node26/bin/node").inspect(|program| attack(Runtime::Node, program));
}

#[test]
fn nothing_gets_out_of_a_strict_process_of_deno() {
    installed("deno/deno").inspect(|program| attack(Runtime::Deno, program));
}

#[test]
fn nothing_gets_out_of_a_strict_process_of_bun() {
    installed("bun/bin/bun.exe").inspect(|program| attack(Runtime::Bun, program));
}

#[test]
fn the_attempts_succeed_without_a_sandbox_on_node() {
    installed("node26/bin/node")
        .inspect(|program| control(program, &["--experimental-ffi", "--no-warnings"]));
}

#[test]
fn the_attempts_succeed_without_a_sandbox_on_deno() {
    installed("deno/deno")
        .inspect(|program| control(program, &["run", "-A", "--unstable-ffi", "--no-lock"]));
}

#[test]
fn the_attempts_succeed_without_a_sandbox_on_bun() {
    installed("bun/bin/bun.exe").inspect(|program| control(program, &[]));
}
