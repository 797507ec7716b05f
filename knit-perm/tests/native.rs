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
        let (policy, mut target, facts) = facts(&root, r#"{"mode":"strict"}"#, None);
        // Tests run in a thread beside the main one.
        target.in_place = true;
        let plan = plan(&policy, &target, &facts).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        Prepared::new(&plan, &[])
            .unwrap()
            .unwrap()
            .sandbox_in_place(&mut command);
        panic!(
            "{}",
            command
                .args(ARGUMENTS)
                .env(ROLE, "files")
                .env(ROOT, root)
                .exec()
        );
    }
    if role == "spawner" {
        let plan = planned(&root, r#"{"mode":"strict"}"#, None);
        let part = if kernel(&env()).mounts {
            "covered"
        } else {
            "files"
        };
        let mut command = Command::new(std::env::current_exe().unwrap());
        Prepared::new(&plan, &[])
            .unwrap()
            .unwrap()
            .sandbox(&mut command);
        let status = command
            .args(ARGUMENTS)
            .env(ROLE, part)
            .env(ROOT, root)
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    if role == "parent" {
        let mut plan = planned(&root, r#"{"mode":"strict"}"#, None);
        plan.kernel
            .as_mut()
            .unwrap()
            .process
            .as_mut()
            .unwrap()
            .end_with_parent = true;
        let mut command = Command::new(std::env::current_exe().unwrap());
        Prepared::new(&plan, &[])
            .unwrap()
            .unwrap()
            .sandbox(&mut command);
        let mut child = command
            .args(ARGUMENTS)
            .env(ROLE, "sleep")
            .env(ROOT, root)
            .spawn()
            .unwrap();
        println!("\nchild {}", child.id());
        child.wait().unwrap();
        return;
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
fn covered_places_cannot_be_read_changed_or_moved_and_new_files_beside_them_can() {
    let field = Field::new();
    field.write_config(&[]);
    if !kernel(&env()).mounts {
        return field::report("not run: this machine lets no process have mounts of its own");
    }
    let policy = r#"{"mode":"strict","denyWrite":["sub/file","nested"]}"#;
    let out = attack(
        &field,
        &planned(&field.root, policy, None),
        "covered 1",
        &[],
    );
    assert!(out.contains("covered places held"), "{out}");
    // Only in the process's own view.
    assert_eq!(
        std::fs::read_to_string(field.project().join(".env")).unwrap(),
        field::SECRET
    );
    assert!(field.project().join(".git/config").exists());
}

#[test]
fn an_ordinary_user_needs_no_privileges() {
    let field = Field::new();
    field.write_config(&[]);
    field.give_to_everybody();
    let mut command = Command::new(std::env::current_exe().unwrap());
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    command
        .args(ARGUMENTS)
        .env(ROLE, "spawner")
        .env(ROOT, &field.root);
    let (code, out, err) = finish(&mut command);
    assert_eq!(code, Some(0), "{out}\n{err}");
    assert!(out.contains("held"), "{out}");
}

#[test]
fn a_process_ends_with_who_started_it() {
    let field = Field::new();
    field.write_config(&[]);
    let mut starter = Command::new(std::env::current_exe().unwrap());
    starter
        .args(ARGUMENTS)
        .env(ROLE, "parent")
        .env(ROOT, &field.root);
    let mut starter = starter
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(starter.stdout.take().unwrap()));
    let child = lines
        .find_map(|line| line.unwrap().strip_prefix("child ").map(str::to_owned))
        .unwrap();
    starter.kill().unwrap();
    starter.wait().unwrap();
    // The pipe is closed when its last holder, the child, has ended.
    while let Some(Ok(line)) = lines.next() {
        assert!(!line.contains("went on"), "{line}");
    }
    // Its descriptors are closed a moment before it is gone.
    let started = std::time::Instant::now();
    while std::fs::read_to_string(format!("/proc/{child}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z "))
    {
        assert!(started.elapsed().as_secs() < 30, "it lives on");
        std::thread::sleep(std::time::Duration::from_millis(1));
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
    assert!(out.contains("held"), "{out}");
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
        mounts: false,
    };
    assert_ne!(
        thread,
        kernel(&env()),
        "these tests need a kernel with Landlock"
    );
}
