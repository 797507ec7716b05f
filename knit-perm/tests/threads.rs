//! A thread that restricts itself: what it and the threads it makes can do, and that no other thread is touched.
#![cfg(target_os = "linux")]

#[path = "support/field.rs"]
mod field;

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Command;

use field::Field;
use knit_perm::plan::{BootStep, Caveat, Key};
use knit_perm::{
    Facts, Kind, Plan, Policy, Runtime, Target, Version, kernel, plan, restrict_thread,
};

fn planned(field: &Field, policy: &str) -> Plan {
    let mut value: serde_json::Value = serde_json::from_str(policy).unwrap();
    value["cwd"] = field.project().display().to_string().into();
    let env: std::collections::BTreeMap<String, String> = std::env::vars().collect();
    let ability = kernel(&env);
    let policy = Policy::from_value(&value).unwrap();
    let target = Target::new(Runtime::Native, Version(0, 0), Kind::Thread);
    plan(
        &policy,
        &target,
        &Facts::gather(&policy, &target, env, ability).unwrap(),
    )
    .unwrap()
}

fn denied<T>(what: &str, result: std::io::Result<T>) {
    match result.map(|_| ()) {
        Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{what}: {error}"),
        Ok(()) => panic!("{what} was allowed"),
    }
}

/// In a thread of its own, restricted by the policy.
fn restricted<T: Send + 'static>(plan: Plan, body: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::spawn(move || {
        assert!(restrict_thread(&plan).unwrap());
        body()
    });
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[test]
fn a_restricted_thread_is_held_and_so_are_its_children() {
    let field = Field::new();
    let (root, project, tcp) = (field.root.clone(), field.project(), field.tcp);
    restricted(
        planned(&field, r#"{"onWeaker":"warn","mode":"strict"}"#),
        move || {
            let check = move || {
                denied("read", fs::read(root.join("secret.txt")));
                denied("a link", fs::read(project.join("link")));
                denied(".env", fs::read(project.join(".env")));
                denied("write", fs::write(root.join("outside/x"), "x"));
                denied("remove", fs::remove_file(root.join("outside/there.txt")));
                denied("TCP", TcpStream::connect(("127.0.0.1", tcp)));
                denied("UDP", UdpSocket::bind("127.0.0.1:0"));
                denied("listen", TcpListener::bind("127.0.0.1:0"));
                denied("a program", Command::new("/bin/true").status());
                denied("the process's environment", fs::read("/proc/self/environ"));
                denied("the process's memory", fs::read("/proc/self/maps"));
                let parent = rustix::process::getppid().unwrap();
                assert!(
                    rustix::process::test_kill_process(parent).is_err(),
                    "signals"
                );
                assert_eq!(
                    fs::read_to_string(project.join("allowed.txt")).unwrap(),
                    "allowed"
                );
                fs::write(project.join("sub/file"), "changed").unwrap();
                assert!(fs::read_to_string("/proc/self/statm").is_ok());
            };
            check();
            std::thread::spawn(check).join().unwrap();
        },
    );
    // This thread, and those that it makes.
    assert_eq!(
        fs::read_to_string(field.root.join("secret.txt")).unwrap(),
        field::SECRET
    );
    assert!(Command::new("/bin/true").status().unwrap().success());
    TcpStream::connect(("127.0.0.1", field.tcp)).unwrap();
}

#[test]
fn a_thread_that_may_reach_a_port_reaches_no_other() {
    let field = Field::new();
    let tcp = field.tcp;
    let plan = planned(&field, &format!(r#"{{"net":[":{tcp}"]}}"#));
    assert!(plan.keys[&Key::Net].caveats.contains(&Caveat::NetTcpOnly));
    restricted(plan, move || {
        TcpStream::connect(("127.0.0.1", tcp)).unwrap();
        denied("another port", TcpStream::connect(("127.0.0.1", tcp ^ 1)));
        denied("UDP", UdpSocket::bind("127.0.0.1:0"));
    });
}

#[test]
fn a_thread_can_be_restricted_again_but_not_less() {
    let field = Field::new();
    let (outer, inner) = (
        planned(&field, r#"{"write":false}"#),
        planned(&field, r#"{"write":true,"read":true}"#),
    );
    let path = field.project().join("sub/file");
    restricted(outer, move || {
        restrict_thread(&inner).unwrap();
        denied("write", fs::write(&path, "x"));
        assert!(fs::read(&path).is_ok());
    });
}

#[test]
fn a_plan_without_a_kernel_part_restricts_nothing_and_says_so() {
    let field = Field::new();
    let plan = planned(&field, r#"{"mode":"unsafe"}"#);
    assert!(!restrict_thread(&plan).unwrap());
    assert!(
        plan.boot.is_empty()
            && !planned(&field, "{}")
                .boot
                .contains(&BootStep::WarmSharedPool)
    );
    assert!(fs::read(field.root.join("secret.txt")).is_ok());
}
