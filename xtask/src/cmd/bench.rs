//! `bench`: the runtime benches (`benches/runtime/main.ts`), or the crates' (`cargo bench`).

use super::build;
use crate::error::Result;
use crate::flags;
use crate::process;
use crate::project::{Project, Runtime};

/// Runs the benches.
pub fn run(project: &Project, flags: &flags::Bench) -> Result<()> {
    if flags.criterion {
        return criterion(project, flags);
    }
    build::run(project)?;
    let mut bench = project.runtime(flags.on);
    if flags.on == Runtime::Deno {
        bench.args(["run", "--allow-all", "--no-check"]);
    }
    bench.arg("benches/runtime/main.ts");
    if flags.quick {
        bench.arg("--quick");
    }
    process::run(bench.args(&flags.rest))
}

fn criterion(project: &Project, flags: &flags::Bench) -> Result<()> {
    let mut cargo = project.cargo();
    cargo.args(["bench", "--package", "knit-benches", "--"]);
    if flags.quick {
        // Criterion's own short form: it stops as soon as a figure is steady.
        cargo.arg("--quick");
    }
    process::run(cargo.args(&flags.rest))
}
