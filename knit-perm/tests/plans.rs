//! Plans for every target, compared with what is written down in `snapshots`. The facts are a value: the same on every machine.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use knit_perm::host::{Entry, Os, Place, RuntimeFiles};
use knit_perm::plan::{Caveat, Enforcer, Key, Strength};
use knit_perm::{Facts, Kernel, Kind, Plan, Policy, Runtime, Target, Version, plan};
use serde_json::json;
use support::describe;

const RUNTIMES: [(Runtime, Version); 6] = [
    (Runtime::Node, Version(22, 23)),
    (Runtime::Node, Version(24, 21)),
    (Runtime::Node, Version(26, 10)),
    (Runtime::Deno, Version(2, 9)),
    (Runtime::Bun, Version(1, 4)),
    (Runtime::Native, Version(0, 0)),
];

fn paths(paths: &[&str]) -> BTreeSet<PathBuf> {
    paths.iter().map(PathBuf::from).collect()
}

/// A project with a secret in it, reached through a link.
fn facts(os: Os) -> Facts {
    let kernel = if os == Os::Linux {
        Kernel {
            landlock: 7,
            seccomp: true,
            mounts: false,
        }
    } else {
        Kernel::default()
    };
    let entries = [
        (".env", Entry::File),
        ("node_modules", Entry::Folder),
        ("package.json", Entry::File),
        ("src", Entry::Folder),
    ];
    let env = [
        ("PATH", "/usr/bin"),
        ("HOME", "/home/u"),
        ("LC_ALL", "C"),
        ("AWS_SECRET", "s"),
        ("NODE_OPTIONS", "--require x"),
        ("TOKEN", "t"),
    ];
    Facts {
        os,
        kernel,
        cwd: Place {
            real: "/srv/app".into(),
            given: "/app".into(),
        },
        env: env
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        env_files: BTreeMap::new(),
        read: None,
        write: None,
        deny_read: None,
        deny_write: None,
        ffi: None,
        run: None,
        deny_run: None,
        run_execute: BTreeSet::new(),
        secrets: paths(&["/srv/app/.env", "/home/u/.ssh"]),
        imports: paths(&["/srv/app", "/srv/node_modules"]),
        package: paths(&["/srv/node_modules/@vixeny/knitting"]),
        runtime: RuntimeFiles {
            execute: paths(&["/usr/bin/runtime", "/lib64/ld.so"]),
            read: paths(&["/usr/lib", "/etc/localtime"]),
            devices: paths(&["/dev/null"]),
            network: paths(&["/etc/resolv.conf"]),
            listed: BTreeSet::new(),
            own_secrets: BTreeSet::new(),
        },
        folders: [(
            PathBuf::from("/srv/app"),
            entries.map(|(name, entry)| (name.to_owned(), entry)).into(),
        )]
        .into(),
    }
}

fn target(runtime: Runtime, version: Version, kind: Kind) -> Target {
    let mut target = Target::new(runtime, version, kind);
    target.library = (runtime != Runtime::Native)
        .then(|| "/srv/node_modules/@vixeny/knitting/lib/knit.node".into());
    target.worker_options = true;
    target
}

fn policy(value: serde_json::Value) -> Policy {
    Policy::from_value(&value).unwrap()
}

fn strict(
    runtime: (Runtime, Version),
    kind: Kind,
    value: serde_json::Value,
) -> Result<Plan, knit_perm::Refused> {
    plan(
        &policy(value),
        &target(runtime.0, runtime.1, kind),
        &facts(Os::Linux),
    )
}

const NODE22: (Runtime, Version) = RUNTIMES[0];
const NODE24: (Runtime, Version) = RUNTIMES[1];
const DENO: (Runtime, Version) = RUNTIMES[3];
const BUN: (Runtime, Version) = RUNTIMES[4];

#[test]
fn the_default_is_what_is_written_down_for_every_runtime_kind_and_system() {
    for os in [Os::Linux, Os::Macos, Os::Windows] {
        for (runtime, version) in RUNTIMES {
            for kind in [Kind::Thread, Kind::Process] {
                let text = describe(
                    &plan(
                        &policy(json!(null)),
                        &target(runtime, version, kind),
                        &facts(os),
                    )
                    .unwrap(),
                );
                let name = format!("{os:?}-{runtime:?}{}-{kind:?}", version.0).to_lowercase();
                insta::assert_snapshot!(name, text);
            }
        }
    }
}

#[test]
fn with_mounts_of_its_own_a_process_may_use_the_folders_around_denied_places() {
    let mut facts = facts(Os::Linux);
    facts.kernel.mounts = true;
    facts.deny_write = Some(knit_perm::policy::Scope::Only(vec![Place::real(
        "/srv/app/src",
    )]));
    let target = target(NODE24.0, NODE24.1, Kind::Process);
    let text = describe(&plan(&policy(json!(null)), &target, &facts).unwrap());
    insta::assert_snapshot!("linux-node24-process-mounts", text);
    // A package in a denied folder stays readable: the folder is not covered.
    facts.deny_write = None;
    facts.deny_read = Some(knit_perm::policy::Scope::Only(vec![Place::real(
        "/srv/app/src",
    )]));
    facts.package = paths(&["/srv/app/src/knit"]);
    let plan = plan(&policy(json!(null)), &target, &facts)
        .unwrap()
        .kernel
        .unwrap();
    let masks: Vec<_> = plan
        .process
        .unwrap()
        .masks
        .into_iter()
        .map(|mask| mask.path)
        .collect();
    assert_eq!(masks, [PathBuf::from("/srv/app/.env")]);
    assert!(
        plan.landlock
            .files
            .iter()
            .any(|rule| rule.path.ends_with("knit"))
    );
}

#[test]
fn the_filter_is_what_is_written_down_for_threads_processes_and_networks() {
    for kind in [Kind::Thread, Kind::Process] {
        for (name, net) in [
            ("nothing", json!(false)),
            ("ports", json!([":443"])),
            ("everything", json!(true)),
        ] {
            let plan = strict(NODE24, kind, json!({ "net": net })).unwrap();
            let text = support::describe_syscalls(&plan.kernel.unwrap().syscalls);
            insta::assert_snapshot!(format!("filter-{kind:?}-{name}").to_lowercase(), text);
        }
    }
}

#[test]
fn unsafe_applies_nothing_anywhere() {
    for (runtime, version) in RUNTIMES {
        for kind in [Kind::Thread, Kind::Process] {
            let plan = plan(
                &policy(json!("unsafe")),
                &target(runtime, version, kind),
                &facts(Os::Linux),
            )
            .unwrap();
            assert!(
                plan.unrestricted
                    && plan.flags.is_empty()
                    && plan.env.is_none()
                    && plan.kernel.is_none()
                    && plan.boot.is_empty()
            );
            assert!(
                plan.keys
                    .values()
                    .all(|outcome| outcome.strength == Strength::Allowed && outcome.by.is_empty())
            );
            assert_eq!(plan.keys.len(), 12);
        }
    }
}

#[test]
fn strict_processes_on_linux_hold_files_network_environment_and_programs_by_the_kernel() {
    for runtime in RUNTIMES {
        let plan = strict(runtime, Kind::Process, json!("strict")).unwrap();
        for key in [
            Key::Read,
            Key::Write,
            Key::Net,
            Key::Env,
            Key::Run,
            Key::Signals,
        ] {
            let outcome = &plan.keys[&key];
            assert!(
                outcome.by.contains(&Enforcer::Kernel) && outcome.strength == Strength::Full,
                "{runtime:?} {key:?} {outcome:?}"
            );
        }
        assert_eq!(plan.weaker, []);
    }
}

#[test]
fn what_was_asked_for_and_cannot_be_enforced_is_refused_all_at_once_with_a_way_out() {
    let cases = [
        (
            BUN,
            Kind::Thread,
            json!("strict"),
            vec!["read", "write", "net", "env", "run"],
        ),
        (BUN, Kind::Thread, json!({ "read": ["."] }), vec!["read"]),
        (
            NODE24,
            Kind::Process,
            json!({ "net": ["example.org:443"], "sys": false }),
            vec!["net", "sys"],
        ),
        (
            NODE24,
            Kind::Thread,
            json!({ "workers": true }),
            vec!["workers"],
        ),
        (
            NODE24,
            Kind::Process,
            json!({ "net": true, "denyNet": ["example.org"] }),
            vec!["denyNet"],
        ),
        (
            BUN,
            Kind::Process,
            json!({ "run": true, "denyRun": ["sh"] }),
            vec!["denyRun"],
        ),
        (
            BUN,
            Kind::Process,
            json!({ "ffi": false, "workers": false, "wasi": false }),
            vec!["ffi", "workers", "wasi"],
        ),
        (
            DENO,
            Kind::Thread,
            json!({ "deno": { "flags": ["--v8-flags=--x"] } }),
            vec!["deno.flags"],
        ),
    ];
    for ((runtime, version), kind, value, expected) in cases {
        let mut facts = facts(Os::Linux);
        facts.run = policy(value.clone())
            .run
            .map(|_| knit_perm::policy::Scope::Everything);
        facts.deny_run = policy(value.clone())
            .deny_run
            .map(|_| knit_perm::policy::Scope::Only(vec![Place::real("/bin/sh")]));
        facts.read = policy(value.clone())
            .read
            .map(|_| knit_perm::policy::Scope::Only(vec![facts.cwd.clone()]));
        let target = target(runtime, version, kind);
        let refused = plan(&policy(value.clone()), &target, &facts).expect_err(&value.to_string());
        let keys: Vec<&str> = refused
            .refusals
            .iter()
            .map(|refusal| refusal.key.as_str())
            .collect();
        assert_eq!(keys, expected, "{value}");
        for refusal in &refused.refusals {
            assert!(
                refusal.runtime.contains(runtime.name())
                    && !refusal.reason.is_empty()
                    && refusal.way_out.contains("onWeaker"),
                "{refusal}"
            );
        }
        let mut value = if value.is_string() {
            json!({ "mode": value })
        } else {
            value
        };
        value["onWeaker"] = json!("warn");
        let plan = plan(&policy(value), &target, &facts).unwrap();
        for key in expected {
            assert!(
                plan.weaker.iter().any(|refusal| refusal.key == key),
                "{key} is reported"
            );
        }
    }
}

#[test]
fn without_landlock_or_seccomp_strict_processes_are_refused_and_a_default_is_reported() {
    for (missing, kernel) in [
        (
            "Landlock",
            Kernel {
                landlock: 0,
                seccomp: true,
                mounts: false,
            },
        ),
        (
            "seccomp",
            Kernel {
                landlock: 7,
                seccomp: false,
                mounts: false,
            },
        ),
    ] {
        for (runtime, version) in RUNTIMES {
            let facts = Facts {
                kernel,
                ..facts(Os::Linux)
            };
            let target = target(runtime, version, Kind::Process);
            let refused = plan(&policy(json!("strict")), &target, &facts).unwrap_err();
            assert_eq!(refused.refusals[0].key, "mode");
            assert!(refused.to_string().contains(missing), "{refused}");
            let default = plan(&policy(json!(null)), &target, &facts).unwrap();
            assert!(
                default.kernel.is_none()
                    && default.weaker.iter().any(|refusal| refusal.key == "mode")
            );
        }
    }
}

#[test]
fn deno_threads_without_the_option_are_refused_with_advice() {
    let mut target = target(DENO.0, DENO.1, Kind::Thread);
    target.worker_options = false;
    let refused = plan(&policy(json!("strict")), &target, &facts(Os::Linux)).unwrap_err();
    assert!(
        refused.to_string().contains("--unstable-worker-options"),
        "{refused}"
    );
    let plan = plan(&policy(json!(null)), &target, &facts(Os::Linux)).unwrap();
    // Giving permissions without the option would end the process.
    assert!(plan.deno.is_none());
}

#[test]
fn a_worker_of_node_is_never_allowed_to_start_threads_in_a_thread() {
    let plan = strict(
        NODE24,
        Kind::Thread,
        json!({ "workers": true, "onWeaker": "warn" }),
    )
    .unwrap();
    assert!(!plan.flags.iter().any(|flag| flag == "--allow-worker"));
    let plan = strict(NODE24, Kind::Process, json!({ "workers": true })).unwrap();
    assert!(plan.flags.iter().any(|flag| flag == "--allow-worker"));
}

#[test]
fn ports_need_a_kernel_that_knows_them() {
    let target = target(NODE22.0, NODE22.1, Kind::Process);
    let ports = policy(json!({ "net": [":443", ":53"] }));
    let new = plan(&ports, &target, &facts(Os::Linux)).unwrap();
    assert_eq!(new.kernel.unwrap().landlock.ports, Some([53, 443].into()));
    assert_eq!(
        new.env.unwrap().get("RES_OPTIONS").map(String::as_str),
        Some("use-vc")
    );
    assert!(new.keys[&Key::Net].caveats.contains(&Caveat::NetTcpOnly));
    let old = Facts {
        kernel: Kernel {
            landlock: 3,
            seccomp: true,
            mounts: false,
        },
        ..facts(Os::Linux)
    };
    let refused = plan(&ports, &target, &old).unwrap_err();
    assert!(refused.to_string().contains("6.7"), "{refused}");
}

#[test]
fn a_plan_is_the_same_after_a_way_through_json() {
    for (runtime, version) in RUNTIMES {
        for kind in [Kind::Thread, Kind::Process] {
            let plan = plan(
                &policy(json!(null)),
                &target(runtime, version, kind),
                &facts(Os::Linux),
            )
            .unwrap();
            let text = serde_json::to_string(&plan).unwrap();
            assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
        }
    }
    let facts = facts(Os::Linux);
    assert_eq!(
        serde_json::from_str::<Facts>(&serde_json::to_string(&facts).unwrap()).unwrap(),
        facts
    );
}

#[test]
fn caveats_have_ids_of_their_own() {
    let ids: BTreeSet<&str> = Caveat::ALL.iter().map(|caveat| caveat.id()).collect();
    assert_eq!(ids.len(), Caveat::ALL.len());
}
