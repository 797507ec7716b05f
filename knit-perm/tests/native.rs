//! Native code that tries to get out of a strict process: system calls, made by this very program, started again in the sandbox.
#![cfg(target_os = "linux")]

#[path = "support/field.rs"]
mod field;
#[path = "support/native.rs"]
mod native;

use std::collections::BTreeMap;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use field::{Field, finish};
use knit_perm::plan::{Caveat, Key};
use knit_perm::{
    Facts, Kernel, Kind, Plan, Policy, Prepared, Runtime, Target, Version, kernel, plan,
};

const ROLE: &str = "KNIT_PERM_ROLE";
const ROOT: &str = "KNIT_PERM_ROOT";

fn env() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

fn facts(root: &std::path::Path, policy: &str, most: Option<u32>) -> (Policy, Target, Facts) {
    let mut value: serde_json::Value = serde_json::from_str(policy).unwrap();
    value["cwd"] = root.join("project").display().to_string().into();
    let policy = Policy::from_value(&value).unwrap();
    let mut target = Target::new(Runtime::Native, Version(0, 0), Kind::Process);
    target.executable = Some(std::env::current_exe().unwrap());
    let mut ability = kernel(&env());
    ability.landlock = most.map_or(ability.landlock, |most| ability.landlock.min(most));
    let facts = Facts::gather(&policy, &target, env(), ability).unwrap();
    (policy, target, facts)
}

fn planned(root: &std::path::Path, policy: &str, most: Option<u32>) -> Plan {
    let (policy, target, facts) = facts(root, policy, most);
    plan(&policy, &target, &facts).unwrap()
}

const ARGUMENTS: [&str; 4] = ["--exact", "the_attacker", "--nocapture", "--test-threads=1"];

/// Runs an attacker's part in the sandbox; what it printed.
fn attack(field: &Field, plan: &Plan, role: &str, keep: &[i32]) -> String {
    let sandbox = Prepared::new(plan, keep).unwrap().expect("a strict plan");
    let mut command = Command::new(std::env::current_exe().unwrap());
    sandbox.sandbox(&mut command);
    // After the sandbox's environment, which replaces everything.
    command
        .args(ARGUMENTS)
        .env(ROLE, role)
        .env(ROOT, &field.root);
    let (code, out, err) = finish(&mut command);
    assert_eq!(code, Some(0), "{role}\n{out}\n{err}");
    out
}

/// Not a test of its own: what the sandboxed copies of this program run.
#[test]
fn the_attacker() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let root = std::path::PathBuf::from(std::env::var(ROOT).unwrap());
    if role == "starter" {
        let sandbox = Prepared::new(&planned(&root, r#"{"mode":"strict"}"#, None), &[])
            .unwrap()
            .unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        sandbox.sandbox_in_place(&mut command);
        panic!(
            "{}",
            command
                .args(ARGUMENTS)
                .env(ROLE, "files")
                .env(ROOT, root)
                .exec()
        );
    }
    native::run(&role, &root);
}

#[test]
fn system_calls_that_no_worker_needs_are_denied_and_new_ones_do_not_exist() {
    let field = Field::new();
    field.write_config(&[]);
    let plan = planned(&field.root, r#"{"mode":"strict"}"#, None);
    let out = attack(&field, &plan, "calls", &[]);
    assert!(out.contains("calls: "), "{out}");
    field::report(out.lines().find(|line| line.contains("calls: ")).unwrap());
    field.assert_untouched();
}

#[test]
fn files_are_held_on_every_version_of_landlock() {
    let newest = kernel(&env()).landlock;
    for version in 1..=newest {
        let field = Field::new();
        field.write_config(&[]);
        let out = attack(
            &field,
            &planned(&field.root, r#"{"mode":"strict"}"#, Some(version)),
            "files",
            &[],
        );
        assert!(out.contains("files held"), "version {version}: {out}");
        field.assert_untouched();
    }
}

#[test]
fn a_process_starts_without_privileges_descriptors_and_core_dumps() {
    let field = Field::new();
    field.write_config(&[]);
    let kept = std::fs::File::open(field.root.join("secret.txt")).unwrap();
    let plan = planned(&field.root, r#"{"mode":"strict"}"#, None);
    let out = attack(
        &field,
        &plan,
        &format!("process {}", kept.as_raw_fd()),
        &[kept.as_raw_fd()],
    );
    assert!(out.contains("process held"), "{out}");
}

#[test]
fn allowed_ports_are_reached_and_nothing_else() {
    let field = Field::new();
    field.write_config(&[]);
    let plan = planned(
        &field.root,
        &format!(r#"{{"mode":"strict","net":[":{}"]}}"#, field.tcp),
        None,
    );
    let out = attack(&field, &plan, &format!("ports {}", field.tcp), &[]);
    assert!(out.contains("ports held"), "{out}");
    assert_eq!(field.arrived.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn allowed_programs_start_in_the_same_sandbox_and_others_do_not() {
    let field = Field::new();
    field.write_config(&[]);
    let plan = planned(&field.root, r#"{"mode":"strict","run":["cat"]}"#, None);
    assert!(plan.keys[&Key::Run].caveats.contains(&Caveat::RunInherits));
    let out = attack(&field, &plan, "programs", &[]);
    assert!(out.contains("programs held"), "{out}");
}

#[test]
fn a_process_can_become_another_program_only_inside_the_sandbox() {
    let field = Field::new();
    field.write_config(&[]);
    let plan = planned(&field.root, r#"{"mode":"strict"}"#, None);
    assert!(plan.keys[&Key::Run].caveats.contains(&Caveat::SelfReplace));
    let out = attack(&field, &plan, "replace", &[]);
    assert!(
        out.contains("files held"),
        "the new program is held too: {out}"
    );
}

#[test]
fn a_starter_behind_a_command_prefix_becomes_the_sandboxed_program() {
    let field = Field::new();
    field.write_config(&[]);
    let mut prefixed = Command::new("nice");
    prefixed
        .arg(std::env::current_exe().unwrap())
        .args(ARGUMENTS)
        .env(ROLE, "starter")
        .env(ROOT, &field.root);
    let (code, out, err) = finish(&mut prefixed);
    assert_eq!(code, Some(0), "{out}\n{err}");
    assert!(out.contains("files held"), "{out}");
}

#[test]
fn on_a_kernel_without_landlock_strict_processes_do_not_start_and_say_why() {
    let mut env = env();
    env.insert("KNITTING_LANDLOCK".into(), "0".into());
    assert_eq!(kernel(&env).landlock, 0);
    let field = Field::new();
    field.write_config(&[]);
    let (policy, target, facts) = facts(&field.root, r#"{"mode":"strict"}"#, Some(0));
    let refused = plan(&policy, &target, &facts).unwrap_err();
    assert_eq!(refused.code(), "KNT_PERMISSION_UNENFORCEABLE");
    assert!(
        refused.to_string().contains("no Landlock") && refused.to_string().contains("onWeaker"),
        "{refused}"
    );
}

#[test]
fn a_plan_for_a_newer_kernel_is_not_applied_in_part() {
    let field = Field::new();
    field.write_config(&[]);
    let mut plan = planned(&field.root, r#"{"mode":"strict"}"#, None);
    plan.kernel.as_mut().unwrap().landlock.version = 99;
    assert_eq!(
        Prepared::new(&plan, &[]).unwrap_err().code(),
        "KNT_SANDBOX_KERNEL"
    );
    let mut plan = planned(&field.root, r#"{"mode":"strict"}"#, None);
    plan.kernel.as_mut().unwrap().syscalls[0]
        .calls
        .push("no_such_call".into());
    assert_eq!(
        Prepared::new(&plan, &[]).unwrap_err().code(),
        "KNT_SANDBOX_FILTER"
    );
    let thread = Kernel {
        landlock: 0,
        seccomp: true,
    };
    assert_ne!(
        thread,
        kernel(&env()),
        "these tests need a kernel with Landlock"
    );
}
