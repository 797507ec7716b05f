//! One file per command.

mod bench;
mod build;
mod ci;
mod demo;
mod faults;
mod figures;
mod fuzz;
mod generated;
mod installers;
mod pack;
mod publish_check;
mod setup;
mod soak;
mod stress;
mod test;
mod wake;

use crate::error::Result;
use crate::flags::{Command, HELP};
use crate::project::Project;

/// Runs a command; `false` means that it found failures and has shown them.
pub fn run(project: &Project, command: Command) -> Result<bool> {
    match command {
        Command::Help => print!("{HELP}"),
        Command::Setup => setup::run(project)?,
        Command::Build => build::run(project)?,
        Command::Layout { check } => generated::layout(project, check)?,
        Command::Header { check } => generated::header(project, check)?,
        Command::Vectors { check } => generated::vectors(project, check)?,
        Command::Test(flags) => return test::run(project, &flags),
        Command::Demo(flags) => demo::run(project, &flags)?,
        Command::Bench(flags) => bench::run(project, &flags)?,
        Command::Pack => return pack::run(project),
        Command::PublishCheck => publish_check::run(project)?,
        Command::Fuzz(flags) => fuzz::run(project, &flags)?,
        Command::Stress(flags) => return stress::run(project, &flags),
        Command::Faults(flags) => return faults::run(project, &flags),
        Command::Soak(flags) => return soak::run(project, &flags),
        Command::Ci => return ci::run(project),
    }
    Ok(true)
}
