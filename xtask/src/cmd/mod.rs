//! One file per command.

mod setup;

use crate::error::Result;
use crate::flags::{Command, HELP};
use crate::project::Project;

/// Runs a command; `false` means that it found failures and has shown them.
pub fn run(project: &Project, command: Command) -> Result<bool> {
    match command {
        Command::Help => print!("{HELP}"),
        Command::Setup => setup::run(project)?,
    }
    Ok(true)
}
