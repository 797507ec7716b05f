//! Which failures are the policy's doing: errors as the runtimes really make them, explained by the plan.

use std::collections::BTreeMap;

use knit_perm::plan::{Denial, Enforcer, Failure, Key};
use knit_perm::{Facts, Kernel, Kind, Plan, Policy, Runtime, Target, Version, json, plan};

const KERNEL: Kernel = Kernel {
    landlock: 7,
    seccomp: true,
    mounts: true,
};

fn planned(folder: &std::path::Path, policy: &str) -> Plan {
    let mut value: serde_json::Value = serde_json::from_str(policy).unwrap();
    value["cwd"] = folder.display().to_string().into();
    let policy = Policy::from_value(&value).unwrap();
    let target = Target::new(Runtime::Native, Version(0, 0), Kind::Process);
    let facts = Facts {
        os: knit_perm::host::Os::Linux,
        ..Facts::gather(&policy, &target, BTreeMap::new(), KERNEL).unwrap()
    };
    plan(&policy, &target, &facts).unwrap()
}

fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = std::fs::canonicalize(folder.path()).unwrap();
    std::fs::write(path.join(".env"), "").unwrap();
    std::fs::create_dir(path.join(".git")).unwrap();
    (folder, path)
}

fn failure(code: &str, syscall: &str, resource: &str) -> Failure {
    Failure {
        code: code.into(),
        syscall: syscall.into(),
        resource: resource.into(),
        ..Failure::default()
    }
}

#[test]
fn the_runtimes_own_errors_are_always_the_policys_doing() {
    let (_keep, path) = folder();
    let plan = planned(&path, "{}");
    let node = |permission: &str| {
        let failure = Failure {
            code: "ERR_ACCESS_DENIED".into(),
            permission: permission.into(),
            resource: "/x".into(),
            ..Failure::default()
        };
        plan.denial(&failure).unwrap()
    };
    assert_eq!(
        node("FileSystemRead"),
        Denial {
            permission: Key::Read,
            resource: "/x".into(),
            mechanism: Enforcer::Runtime
        }
    );
    assert_eq!(node("FileSystemWrite").permission, Key::Write);
    assert_eq!(node("ChildProcess").permission, Key::Run);
    assert_eq!(node("WorkerThreads").permission, Key::Workers);
    assert_eq!(
        plan.denial(&failure("ERR_DLOPEN_DISABLED", "", ""))
            .unwrap()
            .permission,
        Key::Ffi
    );
    let deno = |message: &str| {
        let failure = Failure {
            name: "NotCapable".into(),
            message: message.into(),
            ..Failure::default()
        };
        plan.denial(&failure).unwrap().permission
    };
    assert_eq!(
        deno("Requires net access to \"x:1\", run again with the --allow-net flag"),
        Key::Net
    );
    assert_eq!(
        deno("Requires write access to \"/x\", run again with the --allow-write flag"),
        Key::Write
    );
    assert_eq!(
        deno("Requires import access to \"x\", run again with the --allow-import flag"),
        Key::Import
    );
    assert_eq!(
        deno("Requires read access to \"/x\", run again with the --allow-read flag"),
        Key::Read
    );
}

#[test]
fn the_kernels_errors_count_only_for_what_the_plan_denies() {
    let (_keep, path) = folder();
    let plan = planned(&path, r#"{"write":["./.git"]}"#);
    let key = |code, syscall, resource: &std::path::Path| {
        plan.denial(&failure(code, syscall, resource.to_str().unwrap()))
            .map(|denial| denial.permission)
    };
    assert_eq!(
        key("EACCES", "open", "/etc/passwd".as_ref()),
        Some(Key::Read)
    );
    assert_eq!(
        key("EACCES", "open", &path.join("sub/../../x")),
        Some(Key::Read)
    );
    assert_eq!(key("EACCES", "open", &path.join(".env")), Some(Key::Read));
    // It may be read, so it is writing that was denied.
    std::fs::write(path.join("file"), "").unwrap();
    let later = planned(&path, r#"{"write":["./.git"]}"#);
    let write = later.denial(&failure(
        "EACCES",
        "open",
        path.join("file").to_str().unwrap(),
    ));
    assert_eq!(
        write.map(|denial| (denial.permission, denial.mechanism)),
        Some((Key::Write, Enforcer::Kernel))
    );
    assert_eq!(
        key("ENOENT", "open", &path.join(".git/config")),
        Some(Key::Read),
        "what is covered is empty"
    );
    assert_eq!(
        key("EROFS", "open", &path.join(".git/config")),
        Some(Key::Write)
    );
    assert_eq!(
        key("EPERM", "connect", "127.0.0.1:80".as_ref()),
        Some(Key::Net)
    );
    assert_eq!(key("EPERM", "spawn git", "".as_ref()), Some(Key::Run));
    assert_eq!(key("EPERM", "kill", "".as_ref()), Some(Key::Signals));
    assert_eq!(key("EPERM", "chmod", &path.join("file")), Some(Key::Write));
    // Ordinary errors.
    assert_eq!(key("ENOENT", "open", "/etc/none".as_ref()), None);
    assert_eq!(key("ENOENT", "open", &path.join("none")), None);
    assert_eq!(
        key("ECONNREFUSED", "connect", "127.0.0.1:80".as_ref()),
        None
    );
    assert_eq!(key("EACCES", "", "".as_ref()), None);
    // Somebody else's file, where the policy allows everything.
    let open = planned(
        &path,
        r#"{"read":true,"write":true,"net":true,"run":true,"denyRead":false}"#,
    );
    for (code, syscall, resource) in [
        ("EACCES", "open", "/etc/shadow"),
        ("EPERM", "connect", "x"),
        ("EACCES", "spawn x", ""),
    ] {
        assert_eq!(
            open.denial(&failure(code, syscall, resource)),
            None,
            "{syscall}"
        );
    }
    assert_eq!(
        planned(&path, r#"{"mode":"unsafe"}"#).denial(&failure("ERR_ACCESS_DENIED", "", "")),
        None
    );
}

#[test]
fn bindings_say_all_of_it_in_json() {
    let (_keep, path) = folder();
    let request = serde_json::json!({
        "policy": { "cwd": path, "read": ["."] },
        "target": { "runtime": "node", "version": [24, 0], "kind": "thread" },
        "env": { "PATH": "/bin", "SECRET": "s" },
    });
    let answer: serde_json::Value =
        serde_json::from_str(&json::plan(&request.to_string())).unwrap();
    let plan = &answer["plan"];
    assert_eq!(plan["env"], serde_json::json!({ "PATH": "/bin" }));
    assert_eq!(plan["flags"][0], "--permission");
    assert!(
        plan["keys"]["read"]["by"]
            .as_array()
            .unwrap()
            .iter()
            .any(|by| by == "runtime")
    );
    let failure = serde_json::json!({ "plan": plan, "failure": { "code": "ERR_ACCESS_DENIED", "permission": "FileSystemRead", "resource": "/x" } });
    let denial: serde_json::Value =
        serde_json::from_str(&json::denial(&failure.to_string())).unwrap();
    assert_eq!(
        denial,
        serde_json::json!({ "denial": { "permission": "read", "resource": "/x", "mechanism": "runtime" } })
    );

    let error = |request: serde_json::Value| {
        let answer: serde_json::Value =
            serde_json::from_str(&json::plan(&request.to_string())).unwrap();
        answer["error"].clone()
    };
    let target = serde_json::json!({ "runtime": "bun", "version": [1, 4], "kind": "thread" });
    assert_eq!(
        error(serde_json::json!({ "policy": { "raed": [] }, "target": target }))["code"],
        "KNT_POLICY_UNKNOWN_KEY"
    );
    assert_eq!(
        error(
            serde_json::json!({ "policy": { "read": ["./none"], "cwd": path }, "target": target })
        )["code"],
        "KNT_PERMISSION_MISSING"
    );
    let refused =
        error(serde_json::json!({ "policy": { "mode": "strict", "cwd": path }, "target": target }));
    assert_eq!(refused["code"], "KNT_PERMISSION_UNENFORCEABLE");
    assert_eq!(refused["refusals"][0]["key"], "read");
    assert!(
        refused["refusals"][0]["wayOut"]
            .as_str()
            .unwrap()
            .contains("process")
    );
    assert_eq!(
        error(serde_json::json!({ "policy": {} }))["code"],
        "KNT_PERMISSION_REQUEST"
    );
    assert!(
        json::plan("{").contains("KNT_PERMISSION_REQUEST")
            && json::denial("[]").contains("KNT_PERMISSION_REQUEST")
    );
}
