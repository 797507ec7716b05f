//! What several test programs use.
#![allow(dead_code)]

use std::fmt::{Debug, Write};

use knit_perm::Plan;
use knit_perm::plan::{SyscallRule, Test};

fn words<T: Debug>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items
        .into_iter()
        .map(|item| format!("{item:?}").to_lowercase())
        .collect();
    items.join(" ")
}

/// A plan as lines, without the filter.
pub fn describe(plan: &Plan) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").unwrap();
    for flag in &plan.flags {
        line(format!("flag {flag}"));
    }
    for (name, value) in plan.env.iter().flatten() {
        line(format!("env {name}={value}"));
    }
    if let Some(cwd) = &plan.cwd {
        line(format!("cwd {}", cwd.display()));
    }
    if let Some(deno) = &plan.deno {
        line(format!("deno {}", serde_json::to_string(deno).unwrap()));
    }
    for step in &plan.boot {
        line(format!("boot {}", serde_json::to_string(step).unwrap()));
    }
    if let Some(kernel) = &plan.kernel {
        if let Some(process) = &kernel.process {
            line(format!(
                "process {}",
                serde_json::to_string(process).unwrap()
            ));
        }
        let landlock = &kernel.landlock;
        line(format!(
            "landlock {} execute={} own={} ports={:?} signals={} abstract={}",
            landlock.version,
            landlock.restrict_execute,
            landlock.own_process,
            landlock.ports,
            landlock.scope_signals,
            landlock.scope_abstract
        ));
        for file in &landlock.files {
            line(format!("  {} {}", file.path.display(), words(&file.access)));
        }
        line(format!("filter {} rules", kernel.syscalls.len()));
    }
    for (key, outcome) in &plan.keys {
        let by = if outcome.by.is_empty() {
            "nobody".to_owned()
        } else {
            words(&outcome.by)
        };
        let caveats: Vec<&str> = outcome.caveats.iter().map(|caveat| caveat.id()).collect();
        line(
            format!(
                "{}: {} by {by} [{}]",
                key.name(),
                words([outcome.strength]),
                caveats.join(" ")
            )
            .replace(" by nobody []", ""),
        );
    }
    for weaker in &plan.weaker {
        line(format!("weaker {weaker}"));
    }
    text
}

/// A filter's rules as lines.
pub fn describe_syscalls(rules: &[SyscallRule]) -> String {
    let mut text = String::new();
    for rule in rules {
        let tests: Vec<String> = rule
            .when
            .iter()
            .map(|test| match *test {
                Test::Is(argument, value) => format!("arg{argument} == {value:#x}"),
                Test::Not(argument, value) => format!("arg{argument} != {value:#x}"),
                Test::Bits(argument, mask, value) => {
                    format!("arg{argument} & {mask:#x} == {value:#x}")
                }
            })
            .collect();
        let when = if tests.is_empty() {
            String::new()
        } else {
            format!(" if {}", tests.join(" and "))
        };
        writeln!(
            text,
            "{}{when}: {}",
            words([rule.answer]),
            rule.calls.join(" ")
        )
        .unwrap();
    }
    text
}
