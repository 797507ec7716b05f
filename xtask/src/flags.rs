//! The command line as a typed value.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::error::{Error, Result};
use crate::project::Runtime;

/// What `cargo xtask help` prints.
pub const HELP: &str = "\
cargo xtask <command>

  setup                     install the pinned runtimes and tools (npm ci), unless they are there
  build                     set up, compile the native library and the TypeScript of the package
  test [--only <steps>] [--on <runtimes>] [--all-in-processes]
                            everything: Rust, loom models, memcheck, types, the suite on the runtimes
                            steps: rust, loom, memcheck, build, generated, types, js, processes
                            processes: the suite again, its workers being processes; on node22 and node26
                            only its core, unless --all-in-processes
                            runtimes: node22, node24, node26, deno, bun
  demo [<folder>] [--threads <n>] [--on <runtime>]
                            hash, compress and count every file of a folder, on one thread and on all
  bench [--quick | --check] [--on <runtimes>] [--criterion] [-- <flags of the bench>]
                            the runtime benches on node24, deno and bun, in one table; --check only
                            sees that every row has a figure; --criterion: the crates' benches
  layout [--check]          write the TypeScript constants of the shared layout; --check: compare only
  header [--check]          write the C header of knit-ffi; --check: compare only
  vectors [--check]         write the golden vectors of the value format; --check: compare only
  pack                      make the npm package, and try it as a stranger would
  publish-check             what `cargo publish` would say of every crate
  fuzz [--seconds <n>] [<target>...]
                            run the fuzz targets, each for n seconds (60)
  stress [--seconds <n>] [--seed <n>] [--on <runtimes>]
                            random calls on the runtimes, on each for n seconds (60): each settles once and
                            rightly, nothing is left, memory stays flat
  faults [--seconds <n>] [--seed <n>] [--on <runtimes>]
                            worker processes and hosts killed at random under load, on each runtime for n seconds (60):
                            every promise settles rightly, nothing is left
  soak [--pools <n>] [--ends <n>] [--on <runtimes>]
                            n pools one after the other (500), which leave nothing; n processes that end with calls
                            in flight (100), none of which crashes
  ci                        formatting, lints, documentation, test, pack, and short forms of the rest
";

/// A command with its flags.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Prints the commands.
    Help,
    /// Installs what `package-lock.json` pins.
    Setup,
    /// Builds the package.
    Build,
    /// Runs the tests.
    Test(Test),
    /// Runs the demo.
    Demo(Demo),
    /// Runs the benches.
    Bench(Bench),
    /// Writes or compares the constants of the shared layout.
    Layout { check: bool },
    /// Writes or compares the C header.
    Header { check: bool },
    /// Writes or compares the golden vectors.
    Vectors { check: bool },
    /// Makes and tries the npm package.
    Pack,
    /// Tries the crates' publication.
    PublishCheck,
    /// Runs the fuzz targets.
    Fuzz(Fuzz),
    /// Runs random calls.
    Stress(Stress),
    /// Kills workers and hosts.
    Faults(Faults),
    /// Makes many pools and processes.
    Soak(Soak),
    /// Runs everything.
    Ci,
}

/// A part of `test`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `cargo test`, doc tests included.
    Rust,
    /// The models of the lock-free code.
    Loom,
    /// Valgrind over the native tests.
    Memcheck,
    /// The package itself.
    Build,
    /// Generated files that are committed.
    Generated,
    /// The TypeScript type check.
    Types,
    /// The TypeScript suite.
    Js,
    /// The TypeScript suite with worker processes.
    Processes,
}

impl Step {
    const ALL: [(Step, &str); 8] = [
        (Step::Rust, "rust"),
        (Step::Loom, "loom"),
        (Step::Memcheck, "memcheck"),
        (Step::Build, "build"),
        (Step::Generated, "generated"),
        (Step::Types, "types"),
        (Step::Js, "js"),
        (Step::Processes, "processes"),
    ];
}

/// Flags of `test`.
#[derive(Debug, PartialEq)]
pub struct Test {
    /// The steps to run.
    pub only: Vec<Step>,
    /// The runtimes that the TypeScript suite runs on.
    pub on: Vec<Runtime>,
    /// With worker processes, too, every runtime runs everything.
    pub all_in_processes: bool,
}

impl Default for Test {
    fn default() -> Test {
        Test {
            only: Step::ALL.map(|(step, _)| step).to_vec(),
            on: Runtime::ALL.to_vec(),
            all_in_processes: false,
        }
    }
}

/// Flags of `demo`.
#[derive(Debug, PartialEq)]
pub struct Demo {
    /// The folder to read; the project itself if none is named.
    pub folder: Option<PathBuf>,
    /// Worker threads; one for each core if not named.
    pub threads: Option<u32>,
    /// The runtime to run on.
    pub on: Runtime,
}

/// Flags of `bench`.
#[derive(Debug, PartialEq)]
pub struct Bench {
    /// Fewer rounds.
    pub quick: bool,
    /// One round of everything: are there figures at all?
    pub check: bool,
    /// The crates' benches instead of the runtime's.
    pub criterion: bool,
    /// The runtimes to run on.
    pub on: Vec<Runtime>,
    /// Handed on to the bench program.
    pub rest: Vec<OsString>,
}

impl Default for Bench {
    fn default() -> Bench {
        Bench {
            quick: false,
            check: false,
            criterion: false,
            on: vec![Runtime::Node24, Runtime::Deno, Runtime::Bun],
            rest: Vec::new(),
        }
    }
}

/// Flags of `fuzz`.
#[derive(Debug, PartialEq)]
pub struct Fuzz {
    /// How long each target runs.
    pub seconds: u32,
    /// The targets; all if none is named.
    pub targets: Vec<String>,
}

/// Flags of `stress`.
#[derive(Debug, PartialEq)]
pub struct Stress {
    /// How long each runtime runs.
    pub seconds: u32,
    /// Where the random calls start from; the same seed makes the same calls.
    pub seed: u32,
    /// The runtimes to run on.
    pub on: Vec<Runtime>,
}

/// Flags of `faults`.
#[derive(Debug, PartialEq)]
pub struct Faults {
    /// How long each runtime runs.
    pub seconds: u32,
    /// Where the random moments and calls start from.
    pub seed: u32,
    /// The runtimes to run on.
    pub on: Vec<Runtime>,
}

/// Flags of `soak`.
#[derive(Debug, PartialEq)]
pub struct Soak {
    /// How many pools, one after the other.
    pub pools: u32,
    /// How many processes that end with calls in flight.
    pub ends: u32,
    /// The runtimes to run on.
    pub on: Vec<Runtime>,
}

/// Reads the command line, program name first.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command> {
    let mut parser = lexopt::Parser::from_iter(args);
    command(&mut parser).map_err(|e| Error::Usage(e.to_string()))
}

type Parsed<T> = std::result::Result<T, lexopt::Error>;

fn command(parser: &mut lexopt::Parser) -> Parsed<Command> {
    let name = match parser.next()? {
        None | Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected()),
    };
    match name.as_str() {
        "help" => bare(parser, Command::Help),
        "setup" => bare(parser, Command::Setup),
        "build" => bare(parser, Command::Build),
        "pack" => bare(parser, Command::Pack),
        "publish-check" => bare(parser, Command::PublishCheck),
        "ci" => bare(parser, Command::Ci),
        "layout" => Ok(Command::Layout {
            check: check(parser)?,
        }),
        "header" => Ok(Command::Header {
            check: check(parser)?,
        }),
        "vectors" => Ok(Command::Vectors {
            check: check(parser)?,
        }),
        "test" => test(parser).map(Command::Test),
        "demo" => demo(parser).map(Command::Demo),
        "bench" => bench(parser).map(Command::Bench),
        "fuzz" => fuzz(parser).map(Command::Fuzz),
        "stress" => {
            let Timed { seconds, seed, on } = timed(parser)?;
            Ok(Command::Stress(Stress { seconds, seed, on }))
        }
        "faults" => {
            let Timed { seconds, seed, on } = timed(parser)?;
            Ok(Command::Faults(Faults { seconds, seed, on }))
        }
        "soak" => soak(parser).map(Command::Soak),
        other => Err(format!("there is no command `{other}`").into()),
    }
}

fn bare(parser: &mut lexopt::Parser, command: Command) -> Parsed<Command> {
    match parser.next()? {
        None => Ok(command),
        Some(other) => Err(other.unexpected()),
    }
}

fn check(parser: &mut lexopt::Parser) -> Parsed<bool> {
    let mut check = false;
    while let Some(arg) = parser.next()? {
        match arg {
            Long("check") => check = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(check)
}

fn test(parser: &mut lexopt::Parser) -> Parsed<Test> {
    let mut flags = Test::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("only") => flags.only = list(parser, "step", step)?,
            Long("on") => flags.on = list(parser, "runtime", Runtime::parse)?,
            Long("all-in-processes") => flags.all_in_processes = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(flags)
}

fn demo(parser: &mut lexopt::Parser) -> Parsed<Demo> {
    let mut flags = Demo {
        folder: None,
        threads: None,
        on: Runtime::Node24,
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("threads") => flags.threads = Some(parser.value()?.parse()?),
            Long("on") => flags.on = one(parser, "runtime", Runtime::parse)?,
            Value(folder) if flags.folder.is_none() => flags.folder = Some(folder.into()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(flags)
}

fn bench(parser: &mut lexopt::Parser) -> Parsed<Bench> {
    let mut flags = Bench::default();
    // Everything after `--` belongs to the bench program, also what looks like a flag of ours.
    while let Some(arg) = parser.next()? {
        match arg {
            Long("quick") => flags.quick = true,
            Long("check") => flags.check = true,
            Long("criterion") => flags.criterion = true,
            Long("on") => flags.on = list(parser, "runtime", Runtime::parse)?,
            Value(first) => {
                flags.rest.push(first);
                flags.rest.extend(parser.raw_args()?);
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(flags)
}

fn fuzz(parser: &mut lexopt::Parser) -> Parsed<Fuzz> {
    let mut flags = Fuzz {
        seconds: 60,
        targets: Vec::new(),
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("seconds") => flags.seconds = parser.value()?.parse()?,
            Value(target) => flags.targets.push(target.string()?),
            other => return Err(other.unexpected()),
        }
    }
    // libFuzzer takes no limit for an unlimited run, which would never report.
    if flags.seconds == 0 {
        return Err("--seconds must be at least 1".into());
    }
    Ok(flags)
}

/// Flags of a run from a seed, for some time on each runtime.
struct Timed {
    seconds: u32,
    seed: u32,
    on: Vec<Runtime>,
}

fn timed(parser: &mut lexopt::Parser) -> Parsed<Timed> {
    let mut flags = Timed {
        seconds: 60,
        // Another one each time, and printed: a run that fails can be repeated.
        seed: std::time::UNIX_EPOCH
            .elapsed()
            .map_or(0, |since| since.subsec_nanos()),
        on: Runtime::ALL.to_vec(),
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("seconds") => flags.seconds = parser.value()?.parse()?,
            Long("seed") => flags.seed = parser.value()?.parse()?,
            Long("on") => flags.on = list(parser, "runtime", Runtime::parse)?,
            other => return Err(other.unexpected()),
        }
    }
    if flags.seconds == 0 {
        return Err("--seconds must be at least 1".into());
    }
    Ok(flags)
}

fn soak(parser: &mut lexopt::Parser) -> Parsed<Soak> {
    let mut flags = Soak {
        pools: 500,
        ends: 100,
        on: Runtime::ALL.to_vec(),
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("pools") => flags.pools = parser.value()?.parse()?,
            Long("ends") => flags.ends = parser.value()?.parse()?,
            Long("on") => flags.on = list(parser, "runtime", Runtime::parse)?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(flags)
}

fn step(name: &str) -> Option<Step> {
    Step::ALL
        .into_iter()
        .find(|(_, n)| *n == name)
        .map(|(step, _)| step)
}

fn one<T>(parser: &mut lexopt::Parser, kind: &str, find: fn(&str) -> Option<T>) -> Parsed<T> {
    let name = parser.value()?.string()?;
    find(&name).ok_or_else(|| format!("there is no {kind} `{name}`").into())
}

fn list<T>(parser: &mut lexopt::Parser, kind: &str, find: fn(&str) -> Option<T>) -> Parsed<Vec<T>> {
    let names = parser.value()?.string()?;
    let named =
        |name: &str| find(name).ok_or_else(|| format!("there is no {kind} `{name}`").into());
    names.split(',').map(named).collect()
}

#[cfg(test)]
mod tests;
