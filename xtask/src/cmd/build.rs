//! `build`: the npm package's two halves, native libraries and compiled TypeScript.
//!
//! 1. `cargo build --release` of `knit-node` and `knit-ffi`; the libraries go to `knit-node/lib`, as
//!    `knit-node.<platform>-<arch>.node` and `libknit_ffi.<platform>-<arch>.so`, named as
//!    `process.platform` and `process.arch` name the machine.
//! 2. `tsc` writes `knit-node/dist`; files there whose source is gone are removed, so that the
//!    package never holds a module that no longer exists.
//! 3. esbuild puts the compiled modules into a few, in `dist/bundle`. Every worker loads them, and
//!    a hundred small modules cost it as much as the rest of its start. What a worker loads is one
//!    file; what makes pools is another, which worker processes and Bun's threads do without. The package's entries
//!    stay where their types are, and lead there.

use std::path::{Path, PathBuf};

use super::setup;
use crate::error::{At, Error, Result};
use crate::process;
use crate::project::Project;

/// What programs and workers import, below `dist`. Modules find each other's files from one folder
/// below it, so that is where the bundle is, too.
const ENTRIES: [&str; 8] = [
    "index.js",
    "worker-index.js",
    "bun-index.js",
    "worker/main.js",
    "shared-memory/process-shared-buffer.js",
    "runtime/source.js",
    "runtime/source-node.js",
    "worker/starter.js",
];

/// Builds the package.
pub fn run(project: &Project) -> Result<()> {
    setup::run(project)?;
    native(project)?;
    typescript(project)
}

/// Compiles the native libraries and puts them in their place.
fn native(project: &Project) -> Result<()> {
    process::run(project.cargo().args([
        "build",
        "--release",
        "--package",
        "knit-node",
        "--package",
        "knit-ffi",
    ]))?;
    let release = project.target()?.join("release");
    let lib = project.path("knit-node/lib");
    std::fs::create_dir_all(&lib).at(&lib)?;
    for (built, name) in [("knit_node", library_name()), ("knit_ffi", ffi_name())] {
        let built = release.join(format!(
            "{}{built}{}",
            std::env::consts::DLL_PREFIX,
            std::env::consts::DLL_SUFFIX
        ));
        let place = lib.join(name);
        // A running program may have the old file mapped: writing into it would crash that program,
        // renaming over it leaves it alone.
        let fresh = place.with_extension("new");
        std::fs::copy(&built, &fresh).at(&built)?;
        std::fs::rename(&fresh, &place).at(&place)?;
    }
    Ok(())
}

/// The N-API library's file name.
fn library_name() -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("knit-node.{}.node", platform(os, arch))
}

/// The C library's file name.
fn ffi_name() -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!(
        "{}knit_ffi.{}{}",
        std::env::consts::DLL_PREFIX,
        platform(os, arch),
        std::env::consts::DLL_SUFFIX
    )
}

/// A machine in the words of `process.platform` and `process.arch`.
fn platform(os: &str, arch: &str) -> String {
    let platform = match os {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let arch = match arch {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        "x86" => "ia32",
        other => other,
    };
    format!("{platform}-{arch}")
}

/// Compiles the TypeScript.
fn typescript(project: &Project) -> Result<()> {
    let mut tsc = project.tool("typescript/bin/tsc");
    process::run(tsc.args(["--project", "knit-node/tsconfig.build.json"]))?;
    let (dist, ts) = (project.path("knit-node/dist"), project.path("knit-node/ts"));
    for file in files(&dist)? {
        let below = file.strip_prefix(&dist).expect("it was found in there");
        if !source(below).is_some_and(|source| ts.join(source).is_file()) {
            std::fs::remove_file(&file).at(&file)?;
        }
    }
    bundle(project, &dist)
}

/// What every entry loads before itself. The bundler makes a file for each set of entries that share
/// modules, and each file costs a worker a millisecond: what all have in common is one file.
const COMMON: [&str; 3] = [
    "worker/serve.js",
    "worker-index.js",
    "shared-memory/process-shared-buffer.js",
];

/// What starts a worker is at its place, so that it is not one file more.
const IN_PLACE: &str = "worker/main.js";

/// Bun takes what begins so as it is. Else it compiles the bundle in each sandboxed process anew: its cache lies outside.
const COMPILED: &str = "// @bun";

/// Puts the compiled modules into a few. They are ASCII, the bundler's default: one letter beyond makes engines keep a whole module with two bytes for each,
/// in every worker.
fn bundle(project: &Project, dist: &Path) -> Result<()> {
    let (bundle, entries) = (dist.join("bundle"), dist.join("entries"));
    for folder in [&bundle, &entries] {
        if folder.exists() {
            std::fs::remove_dir_all(folder).at(folder)?;
        }
    }
    std::fs::create_dir(&entries).at(&entries)?;
    let mut bundler = project.command(project.path("node_modules/.bin/esbuild"));
    for entry in ENTRIES {
        let path = entries.join(name(entry));
        std::fs::write(&path, whole(entry)).at(&path)?;
        let place = bundled(entry);
        bundler.arg(format!(
            "{}={}",
            place.trim_end_matches(".js"),
            path.display()
        ));
    }
    bundler.args(["--bundle", "--splitting", "--format=esm"]);
    bundler.args(["--platform=node", "--target=esnext"]);
    // Common modules are imported for that they are there: package.json says that this has no effect.
    bundler.args(["--chunk-names=bundle/[hash]", "--ignore-annotations"]);
    bundler.arg(format!("--banner:js={COMPILED}"));
    bundler.args(["--log-level=warning", "--allow-overwrite"]);
    bundler.arg(format!("--outdir={}", dist.display()));
    process::run(&mut bundler)?;
    std::fs::remove_dir_all(&entries).at(&entries)?;
    for file in files(dist)? {
        let below = file.strip_prefix(dist).expect("it was found in there");
        let kept = below.starts_with("bundle") || below == Path::new(IN_PLACE);
        if below.extension().is_some_and(|kind| kind == "js") && !kept {
            std::fs::remove_file(&file).at(&file)?;
        }
    }
    for entry in ENTRIES.iter().filter(|entry| **entry != IN_PLACE) {
        let place = dist.join(entry);
        std::fs::write(&place, forward(entry)).at(&place)?;
    }
    Ok(())
}

/// An entry's file in the bundle, below `dist`.
fn bundled(entry: &str) -> String {
    if entry == IN_PLACE {
        entry.to_owned()
    } else {
        format!("bundle/{}", name(entry))
    }
}

/// The last part of a path.
fn name(entry: &str) -> &str {
    entry.rsplit('/').next().unwrap_or(entry)
}

/// What the bundler takes for an entry, in a folder below `dist`.
fn whole(entry: &str) -> String {
    let common: String = COMMON
        .iter()
        .map(|module| format!("import \"../{module}\";\n"))
        .collect();
    format!("{common}export * from \"../{entry}\";\n")
}

/// A module at an entry's place that is the bundled one.
fn forward(entry: &str) -> String {
    let up = "../".repeat(entry.matches('/').count());
    let here = if up.is_empty() { "./" } else { &up };
    format!("export * from \"{here}{}\";\n", bundled(entry))
}

/// The source that a compiled file comes from.
fn source(compiled: &Path) -> Option<PathBuf> {
    let path = compiled.to_str()?;
    let stem = path
        .strip_suffix(".d.ts")
        .or_else(|| path.strip_suffix(".js"))?;
    Some(format!("{stem}.ts").into())
}

/// Every file below a folder; symbolic links are not followed.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).at(folder)? {
        let entry = entry.at(folder)?;
        if entry.file_type().at(&entry.path())?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The libraries in their place, for commands that need them to be there: N-API, then C.
pub fn libraries(project: &Project) -> Result<[PathBuf; 2]> {
    let lib = project.path("knit-node/lib");
    let paths = [lib.join(library_name()), lib.join(ffi_name())];
    match paths.iter().find(|path| !path.is_file()) {
        None => Ok(paths),
        Some(path) => Err(Error::Missing(format!("{} is not there", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_named_as_javascript_names_it() {
        assert_eq!(platform("linux", "x86_64"), "linux-x64");
        assert_eq!(platform("macos", "aarch64"), "darwin-arm64");
        assert_eq!(platform("windows", "x86_64"), "win32-x64");
    }

    #[test]
    fn a_compiled_file_knows_its_source() {
        assert_eq!(source(Path::new("api/pool.js")), Some("api/pool.ts".into()));
        assert_eq!(
            source(Path::new("api/pool.d.ts")),
            Some("api/pool.ts".into())
        );
        assert_eq!(source(Path::new("stray.map")), None);
    }

    #[test]
    fn an_entry_leads_to_its_place_in_the_bundle() {
        assert_eq!(
            forward("index.js"),
            "export * from \"./bundle/index.js\";\n"
        );
        assert_eq!(
            forward("worker/starter.js"),
            "export * from \"../bundle/starter.js\";\n"
        );
        assert_eq!(bundled("worker/main.js"), "worker/main.js");
    }

    #[test]
    fn files_are_found_at_any_depth() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        std::fs::write(folder.path().join("a/b/deep"), "").unwrap();
        std::fs::write(folder.path().join("top"), "").unwrap();
        let names = files(folder.path()).unwrap();
        assert_eq!(
            names,
            [folder.path().join("a/b/deep"), folder.path().join("top")]
        );
    }
}
