//! Runs any command with what it is allowed, and nothing else.
//!
//! ```text
//! cargo run -p knit-perm --example sandbox -- --read . --write out --net :443 --run git --env PATH -- git status
//! ```
//!
//! Everything can be given several times; `--read`, `--write`, `--net`, `--run` and `--env` also take `all`. `--policy '{…}'` takes the whole policy
//! instead, `--as node|deno|bun` makes the plan for that runtime and puts its flags in front of the arguments, `--plan` prints the plan.
#![allow(missing_docs)]

use std::path::PathBuf;
use std::process::{Command, ExitCode};

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("sandbox: the kernel's means are used on Linux only");
    ExitCode::from(70)
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sandbox: {error}");
            ExitCode::from(70)
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[cfg(target_os = "linux")]
fn run() -> Result<ExitCode> {
    use knit_perm::{Facts, Kind, Policy, Prepared, Runtime, Target, Version, kernel, plan};
    use serde_json::{Value, json};
    use std::os::unix::process::CommandExt;

    // Unlike for a worker, nothing is allowed that was not said, but reading the folder it runs in.
    let mut policy =
        json!({ "mode": "strict", "allowImport": false, "write": false, "denyRead": false });
    let (mut target, mut print) = (
        Target::new(Runtime::Native, Version::default(), Kind::Process),
        false,
    );
    let mut arguments = std::env::args().skip(1);
    loop {
        let option = arguments.next().ok_or("a command is missing, after `--`")?;
        let mut value = || arguments.next().ok_or(format!("{option} needs a value"));
        match option.as_str() {
            "--" => break,
            "--plan" => print = true,
            "--policy" => policy = serde_json::from_str(&value()?)?,
            "--cwd" => policy["cwd"] = value()?.into(),
            "--package" => target.package.push(value()?.into()),
            "--as" => {
                let name = value()?;
                (target.runtime, target.version) =
                    match name.split_once('@').unwrap_or((&name, "0")) {
                        ("node", version) => (Runtime::Node, Version(version.parse()?, 0)),
                        ("deno", version) => (Runtime::Deno, Version(version.parse()?, 0)),
                        ("bun", version) => (Runtime::Bun, Version(version.parse()?, 0)),
                        _ => return Err(format!("--as {name}: node@24, deno@2 or bun@1").into()),
                    };
            }
            "--read" | "--write" | "--net" | "--run" | "--env" => {
                let (key, item) = (option[2..].to_owned(), value()?);
                match (
                    item.as_str(),
                    policy.get_mut(&key).and_then(Value::as_array_mut),
                ) {
                    ("all", _) => policy[key] = true.into(),
                    (_, Some(items)) => items.push(item.into()),
                    (_, None) => policy[key] = json!([item]),
                }
            }
            other => return Err(format!("there is no option {other}").into()),
        }
    }
    let program = arguments.next().ok_or("a command is missing, after `--`")?;
    let env = std::env::vars().collect();
    let program = find(&program)?;
    target.executable = Some(program.clone());
    let policy = Policy::from_value(&policy)?;
    let facts = Facts::gather(&policy, &target, std::env::vars().collect(), kernel(&env))?;
    let plan = plan(&policy, &target, &facts)?;
    for weaker in &plan.weaker {
        eprintln!("sandbox: {weaker}");
    }
    if print {
        println!("{}", serde_json::to_string_pretty(&plan)?);
    }
    let mut command = Command::new(program);
    command.args(&plan.flags).args(arguments);
    let Some(sandbox) = Prepared::new(&plan, &[])? else {
        return Err("the plan restricts nothing".into());
    };
    sandbox.sandbox_in_place(&mut command);
    Err(command.exec().into())
}

/// As a shell looks for it.
fn find(program: &str) -> Result<PathBuf> {
    if program.contains('/') {
        return Ok(program.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file());
    found.ok_or_else(|| format!("there is no command {program}").into())
}
