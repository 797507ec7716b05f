//! `setup`: `npm ci`, when what is installed is not what the lock file says.
//!
//! A copy of the lock file is left in `node_modules` once everything is in place and
//! every runtime has answered; set-up is done exactly when that copy equals the lock file. So an
//! interrupted install is repeated, and a second set-up costs nothing.

use std::path::PathBuf;

use crate::error::{At, Error, Result};
use crate::process;
use crate::project::{Project, Runtime};

/// Installs the pinned tools unless they are there.
pub fn run(project: &Project) -> Result<()> {
    let lock = project.path("package-lock.json");
    let wanted = std::fs::read_to_string(&lock).at(&lock)?;
    let stamp = stamp(project);
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let mut npm = project.command("npm");
    npm.args(["ci", "--loglevel", "error"]);
    process::run(&mut npm)?;
    for runtime in Runtime::ALL {
        check(project, runtime)?;
    }
    std::fs::write(&stamp, wanted).at(&stamp)
}

fn stamp(project: &Project) -> PathBuf {
    project.path("node_modules/.knit-setup")
}

/// The runtimes come as executables that install scripts put in place; npm counts an install whose
/// scripts were switched off as a success.
fn check(project: &Project, runtime: Runtime) -> Result<()> {
    let version = process::read(project.runtime(runtime).arg("--version")).map_err(|error| {
        Error::Missing(format!(
            "npm has installed {}, but it does not run: {error}\n\
             Its executable comes from an install script: `npm config get ignore-scripts` must be \
             false, and this platform must be one it is published for.",
            runtime.name()
        ))
    })?;
    let version = version.lines().next().unwrap_or_default();
    println!("{:<7} {version}", runtime.name());
    Ok(())
}
