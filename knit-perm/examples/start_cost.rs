//! What a sandbox costs at the start of a process: `/bin/true` with and without, alternating.
//!
//! ```text
//! cargo run --release -p knit-perm --example start_cost
//! ```
#![allow(missing_docs)]

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use knit_perm::{Facts, Kind, Policy, Prepared, Runtime, Target, Version, kernel, plan};
    use std::process::Command;
    use std::time::{Duration, Instant};

    let policy = Policy::from_json(r#""strict""#)?;
    let mut target = Target::new(Runtime::Native, Version(0, 0), Kind::Process);
    target.executable = Some("/bin/true".into());
    let env: std::collections::BTreeMap<String, String> = std::env::vars().collect();
    let timed =
        |name: &str, mounts: bool| -> Result<Option<Prepared>, Box<dyn std::error::Error>> {
            let started = Instant::now();
            let mut ability = kernel(&env);
            ability.mounts &= mounts;
            let facts = Facts::gather(&policy, &target, env.clone(), ability)?;
            let planned = plan(&policy, &target, &facts)?;
            let prepared = Prepared::new(&planned, &[])?;
            println!("{name}: prepared once in {:?}", started.elapsed());
            Ok(prepared)
        };
    let kinds = [
        ("without", None),
        ("with", timed("with", false)?),
        ("with, own mounts", timed("with, own mounts", true)?),
    ];
    let mut times: [Vec<Duration>; 3] = Default::default();
    for _ in 0..300 {
        for ((_, sandbox), times) in kinds.iter().zip(&mut times) {
            let mut command = Command::new("/bin/true");
            if let Some(sandbox) = sandbox {
                sandbox.sandbox(&mut command);
            }
            let started = Instant::now();
            assert!(command.status()?.success());
            times.push(started.elapsed());
        }
    }
    for ((name, _), times) in kinds.iter().zip(&mut times) {
        times.sort();
        println!("{name}: median {:?}, p90 {:?}", times[150], times[270]);
    }
    Ok(())
}
