//! `faults`: worker processes and their hosts killed at random moments under load, on every runtime, from a seed.
//!
//! `knit-node/test/faults/main.ts` kills them, and fails if a promise settles in a way that it may not, or if a process, a descriptor or a name is left.

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
pub fn run(project: &Project, flags: &flags::Faults) -> Result<bool> {
    build::run(project)?;
    let mut report = Report::default();
    steps(project, flags, &mut report);
    Ok(report.finish())
}

/// Adds one step for each runtime to a report, and prints the table.
pub fn steps(project: &Project, flags: &flags::Faults, report: &mut Report) {
    let run = Run {
        name: "faults",
        script: "knit-node/test/faults/main.ts",
        args: vec![flags.seconds.to_string(), flags.seed.to_string()],
        limit: Duration::from_secs(flags.seconds.into()) + MARGIN,
        columns: &[
            ("seconds", "seconds"),
            ("calls", "calls"),
            ("crashed", "crashed"),
            ("workers", "workers killed"),
            ("hosts", "hosts killed"),
            ("processes", "processes +"),
            ("descriptors", "descriptors +"),
            ("names", "names +"),
        ],
    };
    run.steps(project, &flags.on, report);
}
