//! `test`: everything, in order; a failure does not stop what follows.
//!
//! 1. Rust tests of the whole workspace, doc tests included.
//! 2. Loom models: each crate with a `tests/loom_*.rs`, built with `--cfg loom` in a folder of its
//!    own, because that flag rebuilds every dependency.
//! 3. Valgrind's memcheck over the unit tests of the crates that touch mapped memory.
//! 4. The package, and the generated files that are committed.
//! 5. The TypeScript type check, also as Deno does it and as it would publish the package, then the suite on each runtime.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{build, generated, setup};
use crate::count::{Counts, Runner, count, failures, telling};
use crate::error::{Error, Result};
use crate::flags::{Step, Test};
use crate::process::{self, Watched};
use crate::project::{Project, Runtime};
use crate::report::{Outcome, Report};

/// Crates whose unit tests run under valgrind: those with `unsafe` over mapped memory.
const MEMCHECK: [&str; 2] = ["knit-shm", "knit-ring"];

/// Milliseconds after which a single TypeScript test is taken to hang. No test's result depends on it.
const HANGS: &str = "120000";
/// How long one file of the suite may run: Deno and Node.js have no limit for a test.
const FILE_HANGS: Duration = Duration::from_secs(10 * 60);
/// Where Node.js 24 and later keep what they have compiled, types stripped: every file of the suite loads the same modules. Workers that are held do without.
const COMPILED: &str = "node_modules/.cache/knit-tests";
/// V8's last words when its registry of machine code does not know what a thread frees at its end. Node.js 24 strips types by WebAssembly, and says it
/// now and then in programs that start and end many instances, with a pool or without (nodejs/node issue 64500). Nothing else is run twice, and the report tells.
const V8_REGISTRY: &str = "Check failed: jit_page_->allocations_.erase(addr) == 1";

/// Runs the tests and prints the table.
pub fn run(project: &Project, flags: &Test) -> Result<bool> {
    let mut report = Report::default();
    steps(project, flags, &mut report);
    Ok(report.finish())
}

/// Adds the steps of `test` to a report.
pub fn steps(project: &Project, flags: &Test, report: &mut Report) {
    let wanted = |step| flags.only.contains(&step);
    let mut notes = Vec::new();
    if wanted(Step::Rust) {
        report.step("rust tests", || rust(project, &mut notes));
    }
    if wanted(Step::Loom) {
        for name in loom_crates(project) {
            report.step(&format!("loom models of {name}"), || {
                loom(project, &name, &mut notes)
            });
        }
    }
    if wanted(Step::Memcheck) {
        for name in MEMCHECK {
            report.step(&format!("memcheck of {name}"), || {
                memcheck(project, name, &mut notes)
            });
        }
    }
    if wanted(Step::Build) {
        report.check("build", || build::run(project));
    }
    if wanted(Step::Generated) {
        report.check("generated layout", || generated::layout(project, true));
        report.check("C header", || generated::header(project, true));
        report.check("golden vectors", || generated::vectors(project, true));
    }
    if wanted(Step::Types) {
        report.check("types", || types(project));
        report.check("deno check", || {
            deno(project, &["check", "ts/index.ts", "ts/worker/main.ts"])
        });
        report.check("deno publish", || {
            deno(project, &["publish", "--dry-run", "--allow-dirty"])
        });
    }
    if wanted(Step::Js) {
        for &runtime in &flags.on {
            report.step(&format!("suite on {}", runtime.name()), || {
                suite(project, runtime, test_files(project)?, &[], &mut notes)
            });
        }
    }
    if wanted(Step::Processes) {
        for &runtime in &flags.on {
            let all = flags.all_in_processes || !CORE_ONLY.contains(&runtime);
            let what = if all { "suite" } else { "core" };
            report.step(
                &format!("{what} in processes on {}", runtime.name()),
                || {
                    let mut files = test_files(project)?;
                    files.retain(|file| in_processes(file, all));
                    let environment = [("KNIT_TEST_WORKERS", "process")];
                    suite(project, runtime, files, &environment, &mut notes)
                },
            );
        }
    }
    // What failed stands last, beside the total.
    notes.sort_by_key(|line| escape(line).is_none());
    for line in notes {
        report.note(line);
    }
}

/// What differs between versions of Node.js shows in the suite with threads.
const CORE_ONLY: [Runtime; 2] = [Runtime::Node22, Runtime::Node26];

/// Files of `knit-node/test/pool` that make the core: what every call needs, and deaths.
const CORE: [&str; 6] = ["abort", "calls", "death", "queue", "respawn", "values"];

/// Whether that file is run with worker processes: those of `codec` have no pool, those of `process` have such workers anyway.
fn in_processes(file: &Path, all: bool) -> bool {
    let part = |path: Option<&Path>| {
        let name = path.and_then(Path::file_name).unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let folder = part(file.parent());
    let name = part(Some(file));
    let core = || CORE.contains(&name.trim_end_matches(".test.ts"));
    (folder == "pool" && (all || core())) || folder == "shared"
}

/// Runs and counts, and keeps what deserves to be read at the end.
fn noted(
    name: &str,
    runner: Runner,
    command: &mut std::process::Command,
    notes: &mut Vec<String>,
) -> Result<Counts> {
    let watched = process::watch(command, process::HANGS)?;
    Ok(settle(name, runner, &watched, notes).settle(true))
}

/// What a runner counted. What escape tests say of attempts to get out of a sandbox, and names of tests that failed, go to the notes.
fn settle(name: &str, runner: Runner, watched: &Watched, notes: &mut Vec<String>) -> Counts {
    notes.extend(watched.text.lines().filter_map(escape));
    let counts = count(runner, &watched.text).settle_part(watched.status.success());
    if counts.failed > 0 {
        let mut failed = failures(runner, &watched.text);
        if failed.is_empty() {
            failed.push(watched.status.to_string());
        }
        notes.extend(failed.iter().map(|test| format!("FAILED, {name}: {test}")));
        notes.extend(
            telling(&watched.text)
                .iter()
                .map(|line| format!("    {line}")),
        );
    }
    counts
}

/// The line of an escape test, without what a runner puts before it.
fn escape(line: &str) -> Option<String> {
    let at = line.find("escape, ")?;
    line[at..]
        .contains(" attempts, ")
        .then(|| line[at..].to_owned())
}

fn rust(project: &Project, notes: &mut Vec<String>) -> Result<Counts> {
    let mut cargo = project.cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]);
    noted("rust tests", Runner::Cargo, &mut cargo, notes)
}

/// The crates that have loom models.
fn loom_crates(project: &Project) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&project.root)
        .into_iter()
        .flatten()
        .flatten()
    {
        let models = std::fs::read_dir(entry.path().join("tests"))
            .into_iter()
            .flatten()
            .flatten();
        if models
            .into_iter()
            .any(|file| is_model(&file.file_name().to_string_lossy()))
        {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    names
}

fn is_model(file: &str) -> bool {
    file.starts_with("loom_") && file.ends_with(".rs")
}

fn loom(project: &Project, name: &str, notes: &mut Vec<String>) -> Result<Counts> {
    let folder = project.target()?.join("loom");
    let mut cargo = project.cargo();
    cargo
        .args([
            "test",
            "--release",
            "--no-fail-fast",
            "--package",
            name,
            "--test",
            "loom_*",
        ])
        .arg("--target-dir")
        .arg(folder)
        .env("RUSTFLAGS", "--cfg loom");
    noted(name, Runner::Cargo, &mut cargo, notes)
}

fn memcheck(project: &Project, name: &str, notes: &mut Vec<String>) -> Result<Outcome> {
    if project
        .command("valgrind")
        .arg("--version")
        .output()
        .is_err()
    {
        return Ok(Outcome::Skipped("no valgrind"));
    }
    // Cargo starts the test binary through valgrind. Memory that the test harness itself keeps to
    // the end is reachable and no error; lost memory is. Fair scheduling, because valgrind runs one
    // thread at a time and a spinning one would keep its turn.
    let runner = "target.'cfg(all())'.runner = ['valgrind', '--quiet', '--error-exitcode=99', \
        '--fair-sched=yes', '--leak-check=full', '--errors-for-leak-kinds=definite', \
        '--show-leak-kinds=definite']";
    let mut cargo = project.cargo();
    cargo
        .args(["--config", runner, "test", "--package", name, "--lib"])
        // Some fifty times slower than the machine: fewer cases, the same code.
        .env("PROPTEST_CASES", "8");
    noted(name, Runner::Cargo, &mut cargo, notes).map(Outcome::Ran)
}

fn types(project: &Project) -> Result<()> {
    setup::run(project)?;
    let mut tsc = project.tool("typescript/bin/tsc");
    process::run(tsc.args(["--project", "knit-node/tsconfig.json"]))
}

/// Deno's view of the package as it would be published to its own registry.
fn deno(project: &Project, args: &[&str]) -> Result<()> {
    setup::run(project)?;
    let mut deno = project.runtime(Runtime::Deno);
    let watched = process::watch(
        deno.current_dir(project.path("knit-node"))
            .env("NO_COLOR", "1")
            .args(args),
        process::HANGS,
    )?;
    if watched.status.success() {
        return Ok(());
    }
    Err(Error::Missing(format!("`deno {}` fails", args.join(" "))))
}

fn suite(
    project: &Project,
    runtime: Runtime,
    tests: Vec<PathBuf>,
    environment: &[(&str, &str)],
    notes: &mut Vec<String>,
) -> Result<Counts> {
    setup::run(project)?;
    let (runner, flags): (Runner, &[&str]) = match runtime {
        Runtime::Node22 | Runtime::Node24 | Runtime::Node26 => {
            (Runner::Node, &["--test-reporter=spec"])
        }
        Runtime::Deno => (Runner::Deno, &["test", "--allow-all", "--no-check"]),
        Runtime::Bun => (Runner::Bun, &["test", "--timeout", HANGS]),
    };
    // Each file in a process of its own: else what one file sets another finds, and a crash takes all with it.
    let run = |test: &PathBuf| {
        let mut command = project.runtime(runtime);
        command
            .envs(environment.iter().copied())
            .env("NODE_COMPILE_CACHE", project.path(COMPILED))
            .args(flags)
            .arg(test);
        process::watch_aside(&mut command, FILE_HANGS)
    };
    let one = |test: &PathBuf| {
        let watched = run(test)?;
        let again = !watched.status.success() && watched.text.contains(V8_REGISTRY);
        let watched = if again { run(test)? } else { watched };
        Ok::<_, Error>((test.clone(), watched, again))
    };
    let mut counts = Counts::default();
    for ended in each(&tests, at_once(), one) {
        let (test, watched, again) = ended?;
        let name = test.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{}, {name}", runtime.name());
        if again {
            notes.push(format!("run twice, {name}: {V8_REGISTRY}"));
        }
        counts += settle(&name, runner, &watched, notes);
    }
    Ok(counts.settle(true))
}

/// How many files of the suite run at the same time. Much of a test is waiting; more than two would show how tests behave on a busy machine.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(2))
}

/// Does `work` for every item, for so many at the same time. The results are in no order.
fn each<T: Sync, R: Send>(items: &[T], at_once: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                // Relaxed: a count of its own; the items were there before the threads.
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(item);
                    results.lock().expect("nobody panics with it").push(result);
                }
            });
        }
    });
    results.into_inner().expect("nobody panics with it")
}

/// The suite's files, named one by one: the runtimes' own searches differ.
fn test_files(project: &Project) -> Result<Vec<PathBuf>> {
    let folder = project.path("knit-node/test");
    let mut files = build::files(&folder)?;
    files.retain(|path| path.to_string_lossy().ends_with(".test.ts"));
    if files.is_empty() {
        return Err(Error::Missing(format!(
            "no *.test.ts in {}",
            folder.display()
        )));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project_with(files: &[&str]) -> (tempfile::TempDir, Project) {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let root = folder.path().to_owned();
        (folder, Project { root })
    }

    #[test]
    fn a_crate_with_a_loom_model_is_found() {
        let (_folder, project) = project_with(&[
            "b/tests/loom_ring.rs",
            "a/tests/plain.rs",
            "c/tests/loom_x.rs",
        ]);
        assert_eq!(loom_crates(&project), ["b", "c"]);
    }

    #[test]
    fn with_processes_run_the_tests_that_have_a_pool() {
        let runs = |file: &str, all| in_processes(Path::new(file), all);
        assert!(runs("t/pool/calls.test.ts", false) && runs("t/shared/named.test.ts", false));
        assert!(runs("t/pool/debug.test.ts", true) && !runs("t/pool/debug.test.ts", false));
        assert!(!runs("t/codec/values.test.ts", true) && !runs("t/process/native.test.ts", true));
    }

    #[test]
    fn what_escape_tests_say_is_found_whatever_a_runner_puts_before_it() {
        let line = "escape, node 24 thread: 9 attempts, 9 denied";
        assert_eq!(escape(&format!("\u{1b}[0m{line}")).as_deref(), Some(line));
        assert_eq!(escape("ok escape, artist"), None);
    }

    #[test]
    fn every_item_is_done_once() {
        let mut done = each(&[1, 2, 3, 4, 5], 2, |item| item * 10);
        done.sort_unstable();
        assert_eq!(done, [10, 20, 30, 40, 50]);
    }

    #[test]
    fn only_test_files_are_run_and_none_at_all_is_an_error() {
        let (_folder, project) =
            project_with(&["knit-node/test/a/x.test.ts", "knit-node/test/a/tasks.ts"]);
        assert_eq!(
            test_files(&project).unwrap(),
            [project.path("knit-node/test/a/x.test.ts")]
        );
        let (_folder, project) = project_with(&["knit-node/test/tasks.ts"]);
        assert!(test_files(&project).is_err());
    }
}
