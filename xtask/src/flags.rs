//! The command line as a typed value.

use std::ffi::OsString;

use lexopt::prelude::*;

use crate::error::{Error, Result};

/// What `cargo xtask help` prints.
pub const HELP: &str = "\
cargo xtask <command>

  setup                    install the pinned runtimes and tools (npm ci), if they are not there yet
";

/// A command with its flags.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Prints the commands.
    Help,
    /// Installs what `package-lock.json` pins.
    Setup,
}

/// Reads the command line, program name first.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command> {
    let mut parser = lexopt::Parser::from_iter(args);
    command(&mut parser).map_err(|e| Error::Usage(e.to_string()))
}

fn command(parser: &mut lexopt::Parser) -> std::result::Result<Command, lexopt::Error> {
    let command = match parser.next()? {
        None | Some(Short('h') | Long("help")) => return Ok(Command::Help),
        Some(Value(name)) => match name.string()?.as_str() {
            "help" => Command::Help,
            "setup" => Command::Setup,
            other => return Err(format!("there is no command `{other}`").into()),
        },
        Some(other) => return Err(other.unexpected()),
    };
    match parser.next()? {
        None => Ok(command),
        Some(other) => Err(other.unexpected()),
    }
}
