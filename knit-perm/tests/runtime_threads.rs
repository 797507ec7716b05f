//! Worker threads of Node.js and Deno, told the plan's flags and permissions: what the runtimes hold by themselves, without the kernel's part.
#![cfg(target_os = "linux")]

#[path = "support/field.rs"]
mod field;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use field::{Field, finish, installed};
use knit_perm::{Facts, Kernel, Kind, Plan, Policy, Runtime, Target, Version, plan};

/// In the worker: each line is what came of an attempt.
const WORKER: &str = r#"
import fs from "node:fs";
const attempts = {
  "allowed": () => fs.promises.readFile("allowed.txt", "utf8"),
  "allowed, sync": () => fs.readFileSync("allowed.txt", "utf8"),
  "package": async () => (await import("installed")).default,
  "made": async () => (await fs.promises.writeFile("sub/made", "made"), fs.readFileSync("sub/made", "utf8")),
  "secret": () => fs.promises.readFile($SECRET, "utf8"),
  "secret, sync": () => fs.readFileSync($SECRET, "utf8"),
  "secret, by ..": () => fs.promises.readFile("sub/../../secret.txt", "utf8"),
  ".env": () => fs.promises.readFile(".env", "utf8"),
  ".env, sync": () => fs.readFileSync("./.env", "utf8"),
  "nested .env": () => fs.promises.readFile("nested/.env", "utf8"),
  "link": () => fs.promises.readFile("link", "utf8"),
  "beside": () => fs.promises.readFile("../project-evil/file", "utf8"),
  "write": () => fs.promises.writeFile("../outside/written", "x"),
  "program": async () => (await import("node:child_process")).execFileSync("/bin/true"),
  "environment": () => { if (!process.env.HOST_SECRET) throw new Error("none"); },
  "process environment": () => fs.promises.readFile("/proc/self/environ"),
};
for (const [name, attempt] of Object.entries(attempts)) {
  let line = `${name}: denied`;
  try { line = `${name}: ${await attempt()}` } catch {}
  console.log(line);
}
if (typeof Deno !== "undefined") postMessage("done");
"#;

const EXPECTED: &str = "allowed: allowed
allowed, sync: allowed
package: installed
made: made
secret: denied
secret, sync: denied
secret, by ..: denied
.env: denied
.env, sync: denied
nested .env: denied
link: denied
beside: denied
write: denied
program: denied
environment: denied
process environment: denied";

fn planned(field: &Field, runtime: Runtime, version: u32) -> Plan {
    std::fs::write(
        field.project().join("worker.mjs"),
        WORKER.replace("$SECRET", &format!("{:?}", field.root.join("secret.txt"))),
    )
    .unwrap();
    let mut policy = Policy::strict();
    policy.cwd = Some(field.project().display().to_string());
    let mut target = Target::new(runtime, Version(version, 0), Kind::Thread);
    target.package = vec![field.root.join("package")];
    target.modules = vec![field.project().join("main.mjs")];
    target.worker_options = true;
    let env: BTreeMap<String, String> = std::env::vars().collect();
    plan(
        &policy,
        &target,
        &Facts::gather(&policy, &target, env, Kernel::default()).unwrap(),
    )
    .unwrap()
}

fn check(field: &Field, program: &Path, flags: &[&str], host: &str) {
    let script = field.project().join("host.mjs");
    std::fs::write(&script, host).unwrap();
    let mut command = Command::new(program);
    command
        .args(flags)
        .arg(&script)
        .current_dir(field.project())
        .env("HOST_SECRET", field::SECRET)
        .env_remove("NODE_OPTIONS");
    let (code, out, err) = finish(&mut command);
    assert_eq!(code, Some(0), "{out}\n{err}");
    assert_eq!(out.trim(), EXPECTED, "{}\n{err}", program.display());
    field.assert_untouched();
}

#[test]
fn node_holds_threads_to_the_flags_of_the_plan_in_the_working_directory_too() {
    for version in [22, 24, 26] {
        let Some(program) = installed(&format!("node{version}/bin/node")) else {
            continue;
        };
        let field = Field::new();
        let plan = planned(&field, Runtime::Node, version);
        let worker = field.project().join("worker.mjs");
        let options = serde_json::json!({ "execArgv": plan.flags, "env": plan.env });
        check(
            &field,
            &program,
            &["--no-warnings"],
            &format!(
                "import {{ Worker }} from 'node:worker_threads'; new Worker({worker:?}, {options});"
            ),
        );
    }
}

#[test]
fn deno_holds_threads_to_the_permissions_of_the_plan() {
    let Some(program) = installed("deno/deno") else {
        return;
    };
    let field = Field::new();
    let plan = planned(&field, Runtime::Deno, 2);
    let worker = field.project().join("worker.mjs");
    let permissions = serde_json::to_string(&plan.deno.unwrap()).unwrap();
    let host = format!(
        "const worker = new Worker('file://{}', {{ type: 'module', deno: {{ permissions: {permissions} }} }}); worker.onerror = (event) => console.log(event.message); worker.onmessage = () => Deno.exit();",
        worker.display()
    );
    check(
        &field,
        &program,
        &["run", "-A", "--unstable-worker-options", "--no-lock"],
        &host,
    );
}
