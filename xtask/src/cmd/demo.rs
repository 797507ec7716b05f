//! `demo`: `knit-node/demo/main.ts`, from nothing but Rust and npm.

use super::build;
use crate::error::{Error, Result};
use crate::flags;
use crate::process;
use crate::project::{Project, Runtime};

/// Sets up, builds and runs the demo.
pub fn run(project: &Project, flags: &flags::Demo) -> Result<()> {
    let folder = match &flags.folder {
        // Found out before the build: a wrong name should not cost minutes.
        Some(folder) => std::path::absolute(folder)
            .ok()
            .filter(|path| path.is_dir())
            .ok_or_else(|| Error::Missing(format!("{} is not a folder", folder.display())))?,
        None => project.root.clone(),
    };
    build::run(project)?;
    let mut demo = project.runtime(flags.on);
    match flags.on {
        Runtime::Deno => demo.args(["run", "--allow-all", "--no-check"]),
        _ => &mut demo,
    };
    demo.arg(project.path("knit-node/demo/main.ts")).arg(folder);
    if let Some(threads) = flags.threads {
        demo.arg("--threads").arg(threads.to_string());
    }
    process::run(&mut demo)
}
