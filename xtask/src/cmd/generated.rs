//! `layout`, `header` and `vectors`: files that are written by a program and committed.
//!
//! With `--check` nothing is changed: what the program writes is compared with what is committed.
//! The programs are examples (`xtask/examples/layout.rs`, `knit-codec/examples/vectors.rs`), so that
//! these commands can be built while the crates behind the files cannot.

use std::path::Path;

use crate::error::{At, Error, Result};
use crate::process;
use crate::project::Project;

/// The TypeScript constants of the shared memory's layout.
pub fn layout(project: &Project, check: bool) -> Result<()> {
    let mut print = project.cargo();
    print.args([
        "run",
        "--quiet",
        "--package",
        "xtask",
        "--example",
        "layout",
    ]);
    let fresh = process::read(&mut print)?;
    let path = project.path("knit-node/ts/generated/layout.ts");
    if check {
        return same(
            &path,
            std::fs::read_to_string(&path).ok().as_deref(),
            &fresh,
            "layout",
        );
    }
    let folder = path.parent().expect("it is a file in a folder");
    std::fs::create_dir_all(folder).at(folder)?;
    std::fs::write(&path, fresh).at(&path)
}

/// The C header of `knit-ffi`.
pub fn header(project: &Project, check: bool) -> Result<()> {
    let folder = project.path("knit-ffi");
    let path = folder.join("include/knit.h");
    let failed = |error: &dyn std::fmt::Display| Error::Missing(format!("cbindgen: {error}"));
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml"))
        .map_err(|error| failed(&error))?;
    let bindings =
        cbindgen::generate_with_config(&folder, config).map_err(|error| failed(&error))?;
    let mut fresh = Vec::new();
    bindings.write(&mut fresh);
    if check {
        return same(
            &path,
            std::fs::read_to_string(&path).ok().as_deref(),
            &String::from_utf8_lossy(&fresh),
            "header",
        );
    }
    std::fs::write(&path, fresh).at(&path)
}

/// The golden vectors of the value format.
pub fn vectors(project: &Project, check: bool) -> Result<()> {
    let path = project.path("knit-codec/vectors/v1.json");
    let committed = std::fs::read_to_string(&path).ok();
    process::run(project.cargo().args([
        "run",
        "--quiet",
        "--package",
        "knit-codec",
        "--example",
        "vectors",
    ]))?;
    if !check {
        return Ok(());
    }
    let fresh = std::fs::read_to_string(&path).at(&path)?;
    let outcome = same(&path, committed.as_deref(), &fresh, "vectors");
    // The program writes the file itself: put back what was there.
    match committed {
        Some(committed) if committed != fresh => std::fs::write(&path, committed).at(&path)?,
        Some(_) => {}
        None => std::fs::remove_file(&path).at(&path)?,
    }
    outcome
}

fn same(path: &Path, committed: Option<&str>, fresh: &str, command: &str) -> Result<()> {
    if committed == Some(fresh) {
        return Ok(());
    }
    Err(Error::Missing(format!(
        "{} is not what the sources say: run `cargo xtask {command}` and commit the result",
        path.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_or_a_missing_file_names_the_command_that_mends_it() {
        let path = Path::new("layout.ts");
        assert!(same(path, Some("a"), "a", "layout").is_ok());
        for committed in [Some("b"), None] {
            let error = same(path, committed, "a", "layout")
                .unwrap_err()
                .to_string();
            assert!(error.contains("cargo xtask layout"), "{error}");
        }
    }
}
