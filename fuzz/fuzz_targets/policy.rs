//! Any text as a policy: never a panic; what is accepted is written back the same, and has a plan or a refusal for every target, which holds
//! no more than was asked for.
#![no_main]

use std::sync::LazyLock;

use knit_perm::policy::{OnWeaker, Scope};
use knit_perm::{Facts, Kernel, Kind, Plan, Policy, Runtime, Target, Version, plan};
use libfuzzer_sys::fuzz_target;

/// What a machine says of an empty policy.
static FACTS: LazyLock<Facts> = LazyLock::new(|| {
    let target = Target::new(Runtime::Native, Version(0, 0), Kind::Thread);
    let kernel = Kernel { landlock: 7, seccomp: true, mounts: false };
    let policy = Policy { allow_import: Some(false), deny_read: Some(Scope::Nothing), ..Policy::default() };
    Facts::gather(&policy, &target, [("PATH".into(), "/bin".into()), ("SECRET".into(), "s".into())].into(), kernel).expect("a folder")
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(policy) = Policy::from_json(text) else { return };
    let again = serde_json::to_string(&policy).expect("a policy is written");
    assert_eq!(Policy::from_json(&again).as_ref(), Ok(&policy));
    for (runtime, version) in [(Runtime::Node, 22), (Runtime::Node, 26), (Runtime::Deno, 2), (Runtime::Bun, 1), (Runtime::Native, 0)] {
        for kind in [Kind::Thread, Kind::Process] {
            let mut target = Target::new(runtime, Version(version, 0), kind);
            target.worker_options = true;
            match plan(&policy, &target, &FACTS) {
                Err(refused) => {
                    assert_eq!(policy.on_weaker, OnWeaker::Refuse);
                    assert!(!refused.refusals.is_empty());
                }
                Ok(plan) if plan.unrestricted => {}
                Ok(plan) => check(&policy, &plan),
            }
        }
    }
});

fn check(policy: &Policy, plan: &Plan) {
    let text = serde_json::to_string(plan).expect("a plan is written");
    assert_eq!(&serde_json::from_str::<Plan>(&text).expect("and read"), plan);
    let named = |pattern: &String| pattern == "SECRET" || pattern.strip_suffix('*').is_some_and(|start| "SECRET".starts_with(start));
    let allowed = policy.env.as_ref().and_then(|env| env.allow.as_ref());
    let passed = allowed.is_some_and(|scope| scope.is_everything() || scope.items().iter().any(named));
    let kept = plan.env.as_ref().is_some_and(|env| env.contains_key("SECRET"));
    assert!(passed || !kept, "a variable that nobody allowed");
    // Paths come from the facts, never from the text.
    assert!(plan.read.iter().chain(&plan.write).all(|grant| grant.path.is_absolute()));
}
