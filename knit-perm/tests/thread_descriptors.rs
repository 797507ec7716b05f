//! A thread that restricts itself where the process may open few descriptors. Alone in its program: the limit is the process's.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsRawFd;

use knit_perm::{
    Facts, Kind, Plan, Policy, Runtime, Target, Version, kernel, plan, restrict_thread,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors below this number are taken.
const TAKEN: u64 = 100;
/// The ruleset and four files in /proc that stay open. Paths are opened before those, one by one.
const NEEDED: u64 = 5;

fn planned(value: &serde_json::Value) -> Plan {
    let env: BTreeMap<String, String> = std::env::vars().collect();
    let ability = kernel(&env);
    let policy = Policy::from_value(value).unwrap();
    let target = Target::new(Runtime::Native, Version(0, 0), Kind::Thread);
    let facts = Facts::gather(&policy, &target, env, ability).unwrap();
    plan(&policy, &target, &facts).unwrap()
}

/// So that the limit alone says how many are left: a new descriptor is the lowest that is free.
fn take() -> Vec<fs::File> {
    std::iter::repeat_with(|| fs::File::open("/dev/null").unwrap())
        .take_while(|file| (file.as_raw_fd() as u64) < TAKEN)
        .collect()
}

#[test]
fn one_path_is_open_at_a_time_and_a_thread_that_lacks_descriptors_is_restricted_when_there_are_some()
 {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let files: Vec<_> = (0..50).map(|i| path(&i.to_string())).collect();
    for file in &files {
        fs::write(file, "allowed").unwrap();
    }
    fs::write(path("secret"), "secret").unwrap();
    let plan = planned(&serde_json::json!({ "read": files, "write": false, "cwd": folder.path() }));
    let rules = plan.kernel.as_ref().unwrap().landlock.files.len();
    assert!(rules >= files.len());

    let maximum = getrlimit(Resource::Nofile).maximum;
    let taken = take();
    for left in 0..=NEEDED {
        let current = Some(TAKEN + left);
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
        let attempt = || {
            let outcome = restrict_thread(&plan);
            if left < NEEDED {
                let error = outcome.unwrap_err().to_string();
                assert!(error.contains("Too many open files"), "{left}: {error}");
                return;
            }
            assert!(outcome.unwrap());
            for file in &files {
                assert_eq!(fs::read_to_string(file).unwrap(), "allowed");
            }
            assert!(fs::read("/proc/self/statm").is_ok());
            let denied = fs::read(path("secret")).unwrap_err();
            assert_eq!(denied.kind(), std::io::ErrorKind::PermissionDenied);
        };
        std::thread::scope(|scope| scope.spawn(attempt).join().unwrap());
    }
    drop(taken);
}
