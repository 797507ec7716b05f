//! A command as one text, for callers behind a border: words that end with NUL, which no argument can contain. The first letter of a word
//! says what it is.
//!
//! | word | meaning |
//! |---|---|
//! | `A...` | the program, then its arguments |
//! | `E<name>=<value>` | a variable of its environment, which has no others |
//! | `D...` | the directory that it starts in; at most one |
//! | `N...` | it can inherit nothing: with what begins the name where it connects; at most one |

use std::process::Command;

use crate::error::{Result, SchedError};

/// What a text describes.
#[derive(Debug)]
pub struct Order {
    /// The command.
    pub command: Command,
    /// With what begins the name where the process connects; none if it inherits what it needs.
    pub prefix: Option<String>,
}

/// Reads such a text.
///
/// # Errors
/// The text names no program, or holds a word of another kind.
pub fn order(text: &str) -> Result<Order> {
    let mut command: Option<Command> = None;
    let (mut variables, mut directory, mut prefix) = (Vec::new(), None, None);
    for word in text.split_terminator('\0') {
        let bad = SchedError::BadOrder;
        match (word.split_at_checked(1).ok_or(bad)?, &mut command) {
            (("A", program), None) => command = Some(Command::new(program)),
            (("A", argument), Some(command)) => {
                command.arg(argument);
            }
            (("E", variable), _) => {
                // A name may begin with the sign.
                let at = variable.bytes().skip(1).position(|byte| byte == b'=');
                let (name, value) = variable.split_at(at.ok_or(SchedError::BadOrder)? + 1);
                variables.push((name, &value[1..]));
            }
            (("D", path), _) => directory = Some(path),
            (("N", start), _) => prefix = Some(start.to_owned()),
            _ => return Err(SchedError::BadOrder),
        }
    }
    let mut command = command.ok_or(SchedError::BadOrder)?;
    command.env_clear().envs(variables);
    if let Some(directory) = directory {
        command.current_dir(directory);
    }
    Ok(Order { command, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_gets_to_its_place() {
        let text = "Aenv\0A-i\0A\0EPATH=/bin\0EEMPTY=\0E=odd=1\0D/tmp\0Nmine\0Alast\0";
        let Order { command, prefix } = order(text).unwrap();
        assert_eq!(prefix.as_deref(), Some("mine"));
        assert_eq!(order("Aenv\0").unwrap().prefix, None);
        assert_eq!(command.get_program(), "env");
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments, ["-i", "", "last"]);
        assert_eq!(command.get_current_dir().unwrap().to_str(), Some("/tmp"));
        let variables: Vec<_> = command
            .get_envs()
            .map(|(name, value)| (name.to_str().unwrap(), value.unwrap().to_str().unwrap()))
            .collect();
        assert_eq!(variables, [("=odd", "1"), ("EMPTY", ""), ("PATH", "/bin")]);
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for text in [
            "",
            "\0",
            "EPATH=/bin\0",
            "Aa\0EPATH\0",
            "Aa\0Xx\0",
            "Aa\0\0",
        ] {
            assert!(matches!(order(text), Err(SchedError::BadOrder)), "{text:?}");
        }
    }
}
