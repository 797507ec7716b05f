//! `stress`: random calls on every runtime, from a seed, for some time each.
//!
//! `knit-node/test/stress/main.ts` makes the calls, checks each outcome, and fails if one is wrong, if anything
//! is left at the end, or if memory has grown since the warm-up.

use std::time::Duration;

use super::build;
use super::figures::Run;
use crate::error::Result;
use crate::flags;
use crate::project::Project;
use crate::report::Report;

/// Longer than a run's own time until it is taken to hang.
const MARGIN: Duration = Duration::from_secs(180);

/// Runs on each runtime and prints the table; `false` if one failed.
pub fn run(project: &Project, flags: &flags::Stress) -> Result<bool> {
    build::run(project)?;
    let mut report = Report::default();
    steps(project, flags, &mut report);
    Ok(report.finish())
}

/// Adds one step for each runtime to a report, and prints the table.
pub fn steps(project: &Project, flags: &flags::Stress, report: &mut Report) {
    let run = Run {
        name: "stress",
        script: "knit-node/test/stress/main.ts",
        args: vec![flags.seconds.to_string(), flags.seed.to_string()],
        limit: Duration::from_secs(flags.seconds.into()) + MARGIN,
        columns: &[
            ("seconds", "seconds"),
            ("calls", "calls"),
            ("returned", "returned"),
            ("threw", "threw"),
            ("timedOut", "timed out"),
            ("aborted", "aborted"),
            ("refused", "refused"),
            ("crashed", "crashed"),
            ("respawns", "workers killed"),
            ("warm", "MiB, warm"),
            ("end", "MiB, end"),
            ("threads", "threads +"),
            ("descriptors", "descriptors +"),
        ],
    };
    run.steps(project, &flags.on, report);
}
