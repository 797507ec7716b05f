//! `fuzz`: the targets of `fuzz/fuzz_targets`, guided by coverage, on stable Rust.
//!
//! `cargo fuzz` wants a nightly compiler, for its sanitizers. Coverage itself is an LLVM pass that a
//! stable compiler runs too, with the flags below (those `cargo fuzz` uses). A target given with
//! `--target` keeps the flags away from build scripts and macros, which could not be linked with them.
//!
//! Each target starts from the committed `fuzz/corpus/<target>`; what it finds stays in the target
//! folder for the next run. An input that fails is left in `fuzz/artifacts/<target>`.

use std::path::Path;

use crate::error::{At, Error, Result};
use crate::flags;
use crate::process;
use crate::project::Project;

const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions=on \
    -Coverflow-checks=on";

/// Builds the targets and runs each for its time.
pub fn run(project: &Project, flags: &flags::Fuzz) -> Result<()> {
    let fuzz = project.path("fuzz");
    let known = targets(&fuzz)?;
    if let Some(unknown) = flags.targets.iter().find(|t| !known.contains(t)) {
        return Err(Error::Missing(format!(
            "there is no fuzz target `{unknown}`, only {}",
            known.join(", ")
        )));
    }
    let host = host(project)?;
    let built = project.target()?.join("fuzz");
    let mut cargo = project.cargo();
    cargo
        .current_dir(&fuzz)
        .args([
            "build",
            "--release",
            "--bins",
            "--target",
            &host,
            "--target-dir",
        ])
        .arg(&built)
        .env("RUSTFLAGS", COVERAGE);
    process::run(&mut cargo)?;
    let chosen = if flags.targets.is_empty() {
        &known
    } else {
        &flags.targets
    };
    for target in chosen {
        let seeds = fuzz.join("corpus").join(target);
        let (found, artifacts) = (
            built.join("corpus").join(target),
            fuzz.join("artifacts").join(target),
        );
        for folder in [&found, &artifacts] {
            std::fs::create_dir_all(folder).at(folder)?;
        }
        let mut run = project.command(built.join(&host).join("release").join(target));
        run.arg(format!("-max_total_time={}", flags.seconds))
            .arg("-timeout=10")
            .arg("-print_final_stats=1")
            // With a slash at the end it is a folder, else a prefix of file names.
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            // libFuzzer writes into the first folder and only reads the others.
            .arg(&found);
        if seeds.is_dir() {
            run.arg(seeds);
        }
        process::run(&mut run)?;
    }
    Ok(())
}

/// The targets' names, from their sources.
pub fn targets(fuzz: &Path) -> Result<Vec<String>> {
    let folder = fuzz.join("fuzz_targets");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).at(&folder)? {
        let name = entry.at(&folder)?.file_name();
        names.extend(
            name.to_string_lossy()
                .strip_suffix(".rs")
                .map(str::to_owned),
        );
    }
    names.sort();
    Ok(names)
}

/// The triple of this machine.
fn host(project: &Project) -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = process::read(project.command(rustc).arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| Error::Missing("`rustc -vV` names no host".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_targets_are_the_sources() {
        let fuzz = tempfile::tempdir().unwrap();
        let folder = fuzz.path().join("fuzz_targets");
        assert!(targets(fuzz.path()).is_err());
        std::fs::create_dir(&folder).unwrap();
        for name in ["decode.rs", "attach.rs", "notes.md"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(targets(fuzz.path()).unwrap(), ["attach", "decode"]);
    }
}
