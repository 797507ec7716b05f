//! The object that users write: what is accepted, and what wrong ones are told.

use knit_perm::policy::{Mode, NetEntry, OnWeaker, Scope};
use knit_perm::{Policy, PolicyError};
use serde_json::json;

fn parse(value: serde_json::Value) -> Result<Policy, PolicyError> {
    Policy::from_value(&value)
}

fn message(value: serde_json::Value) -> String {
    parse(value).unwrap_err().to_string()
}

#[test]
fn a_word_or_nothing_is_a_whole_policy() {
    assert_eq!(parse(json!("strict")).unwrap().mode, Some(Mode::Strict));
    assert_eq!(parse(json!("unsafe")).unwrap(), Policy::unrestricted());
    assert_eq!(parse(json!(null)).unwrap(), Policy::strict());
    assert_eq!(parse(json!({})).unwrap(), Policy::strict());
    // What a binding makes of `undefined`.
    assert_eq!(
        parse(json!({ "read": null, "env": { "allow": null } }))
            .unwrap()
            .read,
        None
    );
}

#[test]
fn every_key_of_the_contract_is_taken() {
    let policy = parse(json!({
        "mode": "strict", "onWeaker": "warn", "allowImport": false,
        "read": ["a", "~/b", "file:///c"], "write": true, "denyRead": ["x"], "denyWrite": false,
        "net": ["Example.org", "example.org:443", ":80", "[::1]:8080", "[fe80::1]", "127.0.0.1:1"], "denyNet": [],
        "env": { "allow": ["A", "B_*"], "deny": ["C"], "files": [".env.worker"] },
        "run": ["git"], "denyRun": true, "workers": false, "ffi": ["lib.so"], "sys": ["hostname"], "wasi": true, "console": false,
        "cwd": "..", "node": { "flags": ["--max-old-space-size=100"] }, "deno": { "flags": [] }
    }))
    .unwrap();
    assert_eq!(policy.on_weaker, OnWeaker::Warn);
    assert_eq!(
        policy.read,
        Some(Scope::Only(vec![
            "a".into(),
            "~/b".into(),
            "file:///c".into()
        ]))
    );
    assert_eq!(
        (policy.write, policy.deny_write),
        (Some(Scope::Everything), Some(Scope::Nothing))
    );
    let net = |host: Option<&str>, port| NetEntry {
        host: host.map(str::to_owned),
        port,
    };
    let expected = vec![
        net(Some("example.org"), None),
        net(Some("example.org"), Some(443)),
        net(None, Some(80)),
        net(Some("[::1]"), Some(8080)),
        net(Some("[fe80::1]"), None),
        net(Some("127.0.0.1"), Some(1)),
    ];
    assert_eq!(policy.net, Some(Scope::Only(expected)));
    assert_eq!(policy.deny_net, Some(Scope::Nothing));
    let env = policy.env.unwrap();
    assert_eq!(env.allow, Some(Scope::Only(vec!["A".into(), "B_*".into()])));
    assert_eq!(
        (env.deny, env.files),
        (vec!["C".into()], vec![".env.worker".into()])
    );
    assert_eq!(policy.node.unwrap().flags, ["--max-old-space-size=100"]);
}

#[test]
fn what_was_read_is_written_back_the_same() {
    let text = r#"{"mode":"strict","onWeaker":"refuse","read":["a"],"net":["example.org:443",":80"],"env":{"deny":["X"]},"run":false}"#;
    let policy = Policy::from_json(text).unwrap();
    assert_eq!(serde_json::to_string(&policy).unwrap(), text);
    assert_eq!(serde_json::from_str::<Policy>(text).unwrap(), policy);
}

#[test]
fn an_unknown_key_is_told_the_nearest_one() {
    assert_eq!(
        message(json!({ "raed": [] })),
        r#"permission has no key "raed"; did you mean "read"?"#
    );
    assert_eq!(
        message(json!({ "env": { "alow": [] } })),
        r#"permission.env has no key "alow"; did you mean "allow"?"#
    );
    assert_eq!(
        message(json!({ "colour": 1 })),
        r#"permission has no key "colour""#
    );
    assert_eq!(
        message(json!({ "node": { "allowAddons": true } })),
        r#"permission.node has no key "allowAddons""#
    );
}

#[test]
fn a_wrong_type_is_told_what_is_expected_and_where() {
    assert_eq!(
        message(json!({ "read": "a" })),
        r#"permission.read must be true, false or a list of strings, not "a""#
    );
    assert_eq!(
        message(json!({ "read": ["a", 7] })),
        "permission.read[1] must be a string, not 7"
    );
    assert_eq!(
        message(json!({ "workers": ["a"] })),
        "permission.workers must be true or false, not a list"
    );
    assert_eq!(
        message(json!(7)),
        r#"permission must be "strict", "unsafe" or an object, not 7"#
    );
    assert_eq!(
        message(json!("lax")),
        r#"permission cannot be "lax": a mode is "strict" or "unsafe""#
    );
    assert_eq!(
        message(json!({ "env": { "deny": true } })),
        "permission.env.deny must be a list of strings, not true"
    );
    assert!(message(json!("{")).contains("mode"));
    assert_eq!(
        Policy::from_json("{").unwrap_err().code(),
        "KNT_POLICY_JSON"
    );
}

#[test]
fn texts_that_would_mean_something_else_later_are_refused() {
    let bad = [
        ("read", json!(["a*"])),
        ("read", json!(["a,b"])),
        ("read", json!([""])),
        ("read", json!(["a\u{0}b"])),
        ("write", json!(["~other/x"])),
        ("denyRead", json!(["https://example.org/x"])),
        ("read", json!(["x".repeat(4097)])),
        ("net", json!(["*"])),
        ("net", json!(["host:0"])),
        ("net", json!(["host:65536"])),
        ("net", json!(["host:+1"])),
        ("net", json!(["https://host"])),
        ("net", json!(["::1"])),
        ("net", json!(["[::1"])),
        ("net", json!(["[host]:1"])),
        ("net", json!(["a b"])),
        ("env", json!(["*"])),
        ("env", json!(["A=B"])),
        ("sys", json!(["a,b"])),
        ("node", json!({ "flags": ["--allow-worker"] })),
        ("node", json!({ "flags": ["--permission"] })),
        ("deno", json!({ "flags": ["-A"] })),
        ("deno", json!({ "flags": ["script.js"] })),
    ];
    for (key, value) in bad {
        let error = parse(json!({ key: value })).unwrap_err();
        assert_eq!(error.code(), "KNT_POLICY_TEXT", "{key}: {value}");
    }
    let many = json!({ "read": vec!["x"; 1001] });
    assert_eq!(parse(many).unwrap_err().code(), "KNT_POLICY_TOO_MANY");
}
