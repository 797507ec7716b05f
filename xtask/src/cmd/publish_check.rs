//! `publish-check`: what publishing the crates would say, without publishing.
//!
//! `cargo publish --workspace` orders the crates by their dependencies and checks each packed crate
//! against the packed ones before it, so it finds what a build in the workspace cannot: files that
//! are not packed, versions that do not match, dependencies by path alone.
//!
//! The packed crates are handed on through a registry in the target folder, and cargo keeps what it
//! once unpacked from there for as long as folder and versions are the same. So each check has a
//! target folder of its own: an old one would check against the crates of an earlier run.

use crate::error::{At, Result};
use crate::process;
use crate::project::Project;

/// Packs every publishable crate and builds it from its package.
pub fn run(project: &Project) -> Result<()> {
    let target = project.target()?;
    std::fs::create_dir_all(&target).at(&target)?;
    // Removed when it goes out of scope.
    let own = tempfile::Builder::new()
        .prefix("publish-")
        .tempdir_in(&target)
        .at(&target)?;
    let mut cargo = project.cargo();
    cargo
        .args(["publish", "--workspace", "--dry-run", "--target-dir"])
        .arg(own.path());
    // What is published is what is committed; in the middle of work the check is still worth having.
    cargo.arg("--allow-dirty");
    process::run(&mut cargo)
}
