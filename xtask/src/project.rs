//! Where things are: the project's folders and the pinned tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::process;

/// A JavaScript runtime that the tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Node.js 22.
    Node22,
    /// Node.js 24.
    Node24,
    /// Node.js 26.
    Node26,
    /// Deno 2.
    Deno,
    /// Bun 1.
    Bun,
}

impl Runtime {
    /// Every runtime.
    pub const ALL: [Runtime; 5] = [
        Runtime::Node22,
        Runtime::Node24,
        Runtime::Node26,
        Runtime::Deno,
        Runtime::Bun,
    ];
    /// The versions of Node.js.
    pub const NODES: [Runtime; 3] = [Runtime::Node22, Runtime::Node24, Runtime::Node26];

    /// The name in flags and tables.
    pub fn name(self) -> &'static str {
        match self {
            Runtime::Node22 => "node22",
            Runtime::Node24 => "node24",
            Runtime::Node26 => "node26",
            Runtime::Deno => "deno",
            Runtime::Bun => "bun",
        }
    }

    /// The runtime of that name.
    pub fn parse(name: &str) -> Option<Runtime> {
        Runtime::ALL.into_iter().find(|r| r.name() == name)
    }

    /// The executable, below the project's root. `.bin/node` is any one of the three Nodes, so
    /// those are named by their package.
    fn path(self) -> String {
        match self {
            Runtime::Deno | Runtime::Bun => format!("node_modules/.bin/{}", self.name()),
            _ => format!("node_modules/{}/bin/node", self.name()),
        }
    }
}

/// The project's folders.
#[derive(Debug, Clone)]
pub struct Project {
    /// The workspace's root.
    pub root: PathBuf,
}

impl Project {
    /// The workspace that this program was built in.
    pub fn find() -> Result<Project> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().unwrap_or(manifest).to_owned();
        if !root.join("Cargo.toml").is_file() {
            return Err(Error::Missing(format!(
                "the workspace is no longer at {}: build xtask again where it is now",
                root.display()
            )));
        }
        Ok(Project { root })
    }

    /// A path below the root.
    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// A program to be run in the root.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that started us.
    pub fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// The executable of a runtime.
    pub fn runtime_path(&self, runtime: Runtime) -> PathBuf {
        self.path(&runtime.path())
    }

    /// A runtime, to be run in the root.
    pub fn runtime(&self, runtime: Runtime) -> Command {
        self.command(self.runtime_path(runtime))
    }

    /// A tool that npm installed and that is written in JavaScript, run on Node 24.
    pub fn tool(&self, script: &str) -> Command {
        let mut command = self.runtime(Runtime::Node24);
        command.arg(self.path("node_modules").join(script));
        command
    }

    /// The folder that cargo builds into, whatever decides it.
    pub fn target(&self) -> Result<PathBuf> {
        let mut cargo = self.cargo();
        cargo.args(["metadata", "--format-version", "1", "--no-deps"]);
        let text = process::read(&mut cargo)?;
        target_directory(&text)
            .ok_or_else(|| Error::Missing("`cargo metadata` names no target directory".to_owned()))
    }
}

/// Picks the target directory out of `cargo metadata`'s JSON. One string is not worth a parser,
/// but the string's escapes have to be undone.
fn target_directory(metadata: &str) -> Option<PathBuf> {
    let key = "\"target_directory\":\"";
    let rest = &metadata[metadata.find(key)? + key.len()..];
    let mut path = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return Some(path.into()),
            '\\' => path.push(chars.next()?),
            c => path.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_found_by_the_name_they_print() {
        for runtime in Runtime::ALL {
            assert_eq!(Runtime::parse(runtime.name()), Some(runtime));
        }
        assert_eq!(Runtime::parse("node"), None);
    }

    #[test]
    fn the_target_directory_is_read_with_its_escapes() {
        let text = r#"{"a":1,"target_directory":"C:\\my \"x\"\\target","version":1}"#;
        assert_eq!(
            target_directory(text),
            Some(PathBuf::from("C:\\my \"x\"\\target"))
        );
        assert_eq!(target_directory("{}"), None);
    }
}
