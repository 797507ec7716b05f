//! The example `sandbox`, as its documentation shows it: any command, held to what the flags say.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::process::{Command, Output};

/// Cargo builds examples for tests, beside them.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap();
    folder.join("examples/sandbox")
}

fn run(folder: &std::path::Path, args: &[&str]) -> Output {
    Command::new(example())
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn any_command_is_held_to_what_the_flags_allow() {
    let folder = tempfile::tempdir().unwrap();
    let root = std::fs::canonicalize(folder.path()).unwrap();
    std::fs::create_dir_all(root.join("project/out")).unwrap();
    std::fs::write(root.join("project/there"), "there").unwrap();
    std::fs::write(root.join("private"), "private").unwrap();
    let project = root.join("project");
    let allowed = ["--read", ".", "--write", "out", "--"];
    let held = |command: &[&str]| run(&project, &[&allowed, command].concat());

    let output = held(&["/bin/cat", "there"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "there",
        "{output:?}"
    );
    let output = held(&["/bin/cat", "../private"]);
    assert!(
        !output.status.success() && output.stdout.is_empty(),
        "{output:?}"
    );
    assert!(held(&["/bin/cp", "there", "out/copy"]).status.success());
    assert!(!held(&["/bin/cp", "there", "copy"]).status.success());
    assert!(!held(&["/bin/cp", "there", "../copy"]).status.success());
    assert_eq!(std::fs::read(project.join("out/copy")).unwrap(), b"there");
    assert!(!project.join("copy").exists() && !root.join("copy").exists());
}
