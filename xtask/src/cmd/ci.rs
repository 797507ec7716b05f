//! `ci`: everything a change has to pass, ending in one line `N passed, N failed`.
//!
//! What `test` does, after the checks that are no tests (formatting, lints, documentation), and
//! followed by the package and by short forms of the runs that have no natural end.

use super::{bench, demo, faults, fuzz, pack, soak, stress, test};
use crate::error::Result;
use crate::flags;
use crate::process;
use crate::project::{Project, Runtime};
use crate::report::Report;

/// Seconds for each fuzz target.
const FUZZ_SECONDS: u32 = 12;
/// Seconds of random calls on each runtime: 20 in all.
const STRESS_SECONDS: u32 = 4;
/// Seconds in which worker processes and hosts are killed, on each runtime: 20 in all.
const FAULTS_SECONDS: u32 = 4;
/// Pools on each runtime, one after the other.
const SOAK_POOLS: u32 = 40;
/// Processes of each runtime that end with calls in flight.
const SOAK_ENDS: u32 = 10;

/// Runs everything and prints the table.
pub fn run(project: &Project) -> Result<bool> {
    let mut report = Report::default();
    let cargo = |args: &[&str]| process::run(project.cargo().args(args));
    report.check("formatting", || cargo(&["fmt", "--all", "--check"]));
    report.check("lints", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ])
    });
    report.check("documentation", || {
        let mut doc = project.cargo();
        doc.args(["doc", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "--deny warnings");
        process::run(&mut doc)
    });
    test::steps(project, &flags::Test::default(), &mut report);
    pack::steps(project, &mut report);
    report.check("demo over the package's sources", || {
        let flags = flags::Demo {
            folder: Some(project.path("knit-node/ts")),
            threads: None,
            on: Runtime::Node24,
        };
        demo::run(project, &flags)
    });
    let stressed = flags::Stress {
        seconds: STRESS_SECONDS,
        seed: 1,
        on: Runtime::ALL.to_vec(),
    };
    stress::steps(project, &stressed, &mut report);
    let faulty = flags::Faults {
        seconds: FAULTS_SECONDS,
        seed: 1,
        on: Runtime::ALL.to_vec(),
    };
    faults::steps(project, &faulty, &mut report);
    let soaked = flags::Soak {
        pools: SOAK_POOLS,
        ends: SOAK_ENDS,
        on: Runtime::ALL.to_vec(),
    };
    soak::steps(project, &soaked, &mut report);
    report.check("short fuzzing", || {
        let flags = flags::Fuzz {
            seconds: FUZZ_SECONDS,
            targets: Vec::new(),
        };
        fuzz::run(project, &flags)
    });
    report.check("every bench has figures", || {
        let flags = flags::Bench {
            check: true,
            ..flags::Bench::default()
        };
        bench::run(project, &flags)
    });
    Ok(report.finish())
}
