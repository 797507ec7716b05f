//! The project's own commands, run as `cargo xtask <command>`.
//!
//! Each command is a file in `cmd`; `flags` turns the command line into a typed value. Nothing here
//! knows how the pool works: it only starts cargo, npm, the TypeScript compiler and the runtimes,
//! and adds up what they report. The tools it starts are those pinned in `package-lock.json`, never
//! a `node` that happens to be on the path (that one runs npm and nothing else).

mod cmd;
mod count;
mod error;
mod flags;
mod process;
mod project;
mod report;

use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = flags::parse(std::env::args_os()).and_then(|command| {
        project::Project::find().and_then(|project| cmd::run(&project, command))
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        // The command has already said what failed.
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
