//! `bench`: the runtime benches (`benches/runtime/main.ts`), or the crates' (`cargo bench`).
//!
//! The runtimes take turns, each in a program of its own that leaves its figures in
//! `target/bench/<runtime>.json`; `benches/runtime/compare.ts` makes one table of them. Goals that are
//! missed fail nothing. A contestant that fails, or a row without a figure, does.

use super::build;
use super::wake::Wakes;
use crate::error::{Error, Result};
use crate::flags;
use crate::process;
use crate::project::{Project, Runtime};

/// Cores that are woken, so that figures of single calls can be judged.
const WAKES: usize = 200;

/// Runs the benches.
pub fn run(project: &Project, flags: &flags::Bench) -> Result<()> {
    if flags.criterion {
        return criterion(project, flags);
    }
    build::run(project)?;
    // Before anything of ours runs.
    let wakes = Wakes::measure(if flags.check { 1 } else { WAKES });
    let folder = project.target()?.join("bench");
    let mut files = Vec::new();
    let mut failed = Vec::new();
    for &runtime in &flags.on {
        let file = folder.join(format!("{}.json", runtime.name()));
        // What an earlier run left must not pass for what this one could not measure.
        let _ = std::fs::remove_file(&file);
        if let Err(error) = one(project, flags, runtime, &file) {
            eprintln!("error: {error}");
            failed.push(runtime.name());
        }
        if file.is_file() {
            files.push(file);
        }
    }
    if !files.is_empty() {
        let mut table = project.runtime(Runtime::Node24);
        process::run(table.arg("benches/runtime/compare.ts").args(&files))?;
    }
    if let Some(wakes) = wakes {
        println!("{wakes}");
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::Missing(format!(
        "some figures are missing on {}",
        failed.join(", ")
    )))
}

/// The benches on one runtime.
fn one(
    project: &Project,
    flags: &flags::Bench,
    runtime: Runtime,
    file: &std::path::Path,
) -> Result<()> {
    let mut bench = project.runtime(runtime);
    if runtime == Runtime::Deno {
        bench.args(["run", "--allow-all", "--no-check"]);
    }
    bench.arg("benches/runtime/main.ts");
    if flags.quick {
        bench.arg("--quick");
    }
    if flags.check {
        bench.arg("--check");
    }
    bench.arg("--silent").arg("--json").arg(file);
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
