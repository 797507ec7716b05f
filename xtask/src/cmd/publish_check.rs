//! `publish-check`: what publishing the crates would say, without publishing.
//!
//! `cargo publish --workspace` orders the crates by their dependencies and checks each packed crate
//! against the packed ones before it, so it finds what a build in the workspace cannot: files that
//! are not packed, versions that do not match, dependencies by path alone.

use crate::error::Result;
use crate::process;
use crate::project::Project;

/// Packs every publishable crate and builds it from its package.
pub fn run(project: &Project) -> Result<()> {
    let mut cargo = project.cargo();
    cargo.args(["publish", "--workspace", "--dry-run"]);
    // What is published is what is committed; in the middle of work the check is still worth having.
    cargo.arg("--allow-dirty");
    process::run(&mut cargo)
}
