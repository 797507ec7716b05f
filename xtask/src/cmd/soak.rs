//! `soak`: many pools one after the other, then many processes that end with calls in flight, on every runtime.
//!
//! `knit-node/test/soak/main.ts` makes them, and fails if a thread, a descriptor, a mapping or memory is left after the pools, or if a process does not
//! end with the code that it gave.

use std::time::Duration;

use super::build;
use super::figures::Run;
use crate::error::Result;
use crate::flags;
use crate::project::Project;
use crate::report::Report;

/// Longer than a pool or a process takes on a busy machine.
const EACH: Duration = Duration::from_secs(2);
/// Before the first and after the last.
const MARGIN: Duration = Duration::from_secs(60);

/// Runs on each runtime and prints the table; `false` if one failed.
pub fn run(project: &Project, flags: &flags::Soak) -> Result<bool> {
    build::run(project)?;
    let mut report = Report::default();
    steps(project, flags, &mut report);
    Ok(report.finish())
}

/// Adds one step for each runtime to a report, and prints the table.
pub fn steps(project: &Project, flags: &flags::Soak, report: &mut Report) {
    let run = Run {
        name: "soak",
        script: "knit-node/test/soak/main.ts",
        args: vec![flags.pools.to_string(), flags.ends.to_string()],
        limit: MARGIN + EACH * (flags.pools + flags.ends),
        columns: &[
            ("pools", "pools"),
            ("threads", "threads +"),
            ("descriptors", "descriptors +"),
            ("mappings", "mappings +"),
            ("warm", "MiB, warm"),
            ("end", "MiB, end"),
            ("ends", "processes ended"),
            ("crashed", "crashed"),
        ],
    };
    run.steps(project, &flags.on, report);
}
