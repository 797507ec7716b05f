//! `demo`: `knit-node/demo/main.ts`, from nothing but Rust and npm.

use std::path::{Path, PathBuf};

use super::build;
use crate::error::{At, Error, Result};
use crate::flags;
use crate::process;
use crate::project::{Project, Runtime};

/// Sets up, builds and runs the demo.
pub fn run(project: &Project, flags: &flags::Demo) -> Result<()> {
    // Found out before the build: a wrong name should not cost minutes.
    let folder = flags.folder.as_deref().map(existing).transpose()?;
    build::run(project)?;
    let mut demo = project.runtime(flags.on);
    match flags.on {
        Runtime::Deno => demo.args(["run", "--allow-all", "--no-check"]),
        _ => &mut demo,
    };
    demo.arg(project.path("knit-node/demo/main.ts"))
        .args(folder);
    if let Some(threads) = flags.threads {
        demo.arg("--threads").arg(threads.to_string());
    }
    process::run(&mut demo)
}

/// The folder as seen from anywhere: the demo is run in the project's root.
fn existing(folder: &Path) -> Result<PathBuf> {
    if !folder.is_dir() {
        return Err(Error::Missing(format!(
            "{} is not a folder",
            folder.display()
        )));
    }
    std::path::absolute(folder).at(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_folder_is_named_and_a_good_one_made_absolute() {
        let error = existing(Path::new("no/such/folder"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("no/such/folder"), "{error}");
        assert!(existing(Path::new("src")).unwrap().is_absolute());
    }
}
