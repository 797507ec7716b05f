//! `pack`: the npm package, tried as a stranger would.
//!
//! 1. Build, and `npm pack` into `<target>/npm`.
//! 2. The archive holds what users need and no sources.
//! 3. Install it into an empty folder that knows nothing of the workspace.
//! 4. Check the README's quick start, and the types' own promises, with `tsc`; and that the bundler has renamed no class that users see.
//! 5. Run the quick start on every Node: the TypeScript as it is, and what `tsc` made of it.
//! 6. The same with what Deno and Bun install.

use std::path::{Path, PathBuf};

use super::{build, installers};
use crate::error::{At, Error, Result};
use crate::process;
use crate::project::{Project, Runtime};
use crate::report::Report;

const TYPES: &str = include_str!("../../templates/types.ts");
const NAMES: &str = include_str!("../../templates/names.js");
const TSCONFIG: &str = include_str!("../../templates/tsconfig.json");
const README: &str = "knit-node/README.md";

/// Packs, tries, and prints what came of it.
pub fn run(project: &Project) -> Result<bool> {
    let mut report = Report::default();
    steps(project, &mut report);
    Ok(report.finish())
}

/// Adds the steps of `pack` to a report.
pub fn steps(project: &Project, report: &mut Report) {
    let mut archive = None;
    report.check("pack", || {
        build::run(project)?;
        archive = Some(pack(project)?);
        Ok(())
    });
    let Some(archive) = archive else { return };
    report.check("packed files", || contents(project, &archive));
    // Removed when it goes out of scope.
    let folder = match tempfile::Builder::new().prefix("knit-pack-").tempdir() {
        Ok(folder) => folder,
        Err(source) => {
            let path = std::env::temp_dir();
            report.check("empty folder", || Err(Error::File { path, source }));
            return;
        }
    };
    let home = folder.path();
    if !report.check("install the package", || install(project, &archive, home)) {
        return;
    }
    report.check("types of the package", || types(project, home));
    report.check("names in the package", || {
        let mut node = project.runtime(Runtime::Node24);
        process::run(node.current_dir(home).arg("names.js"))
    });
    for runtime in Runtime::NODES {
        for script in ["quick-start.ts", "js/quick-start.js"] {
            let name = format!("{script} on {}", runtime.name());
            report.check(&name, || quick_start(project, home, runtime, script));
        }
    }
    if let Ok(text) = std::fs::read_to_string(home.join("quick-start.ts")) {
        installers::steps(project, &archive, &text, report);
    }
}

/// Writes the archive and returns its path.
fn pack(project: &Project) -> Result<PathBuf> {
    let folder = project.target()?.join("npm");
    std::fs::create_dir_all(&folder).at(&folder)?;
    let mut npm = project.command("npm");
    npm.current_dir(project.path("knit-node"))
        .args(["pack", "--silent", "--pack-destination"])
        .arg(&folder);
    let output = process::read(&mut npm)?;
    let name = output.trim();
    let archive = folder.join(name);
    if name.is_empty() || !archive.is_file() {
        return Err(Error::Missing(format!(
            "npm pack has written no archive: {output}"
        )));
    }
    println!("{}", archive.display());
    Ok(archive)
}

/// What the archive must and must not hold.
fn contents(project: &Project, archive: &Path) -> Result<()> {
    let list = process::read(project.command("tar").arg("-tzf").arg(archive))?;
    let libraries = build::libraries(project)?.map(|path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    });
    complain(&list, &libraries.each_ref().map(String::as_str))
        .map_or(Ok(()), |problem| Err(Error::Missing(problem)))
}

fn complain(list: &str, libraries: &[&str; 2]) -> Option<String> {
    let files: Vec<&str> = list
        .lines()
        .filter_map(|l| l.strip_prefix("package/"))
        .collect();
    let [napi, c] = libraries.map(|library| format!("lib/{library}"));
    let needed = [
        "package.json",
        "README.md",
        "LICENSE",
        "dist/index.js",
        "dist/index.d.ts",
        &napi,
        &c,
    ];
    if let Some(missing) = needed.iter().find(|name| !files.contains(name)) {
        return Some(format!("the package lacks {missing}"));
    }
    let stray = |file: &&&str| {
        let code = file.starts_with("dist/") && (file.ends_with(".js") || file.ends_with(".d.ts"));
        let library = file.starts_with("lib/") && file.ends_with(".node");
        !code && !library && !needed.contains(file)
    };
    files
        .iter()
        .find(stray)
        .map(|file| format!("the package should not hold {file}"))
}

/// Installs the archive where nothing else is, and writes the programs to try.
fn install(project: &Project, archive: &Path, home: &Path) -> Result<()> {
    let readme = project.path(README);
    let text = std::fs::read_to_string(&readme).at(&readme)?;
    let quick_start = fenced(&text, "ts").ok_or_else(|| {
        Error::Missing(format!(
            "{README} has no block of TypeScript: its quick start is the first one"
        ))
    })?;
    let type_root = project.path("node_modules/@types").display().to_string();
    for (name, text) in [
        (
            "package.json",
            "{ \"private\": true, \"type\": \"module\" }\n",
        ),
        ("quick-start.ts", &quick_start),
        ("types.ts", TYPES),
        ("names.js", NAMES),
        (
            "tsconfig.json",
            &TSCONFIG.replace("TYPE_ROOT", &type_root.replace('\\', "/")),
        ),
    ] {
        let path = home.join(name);
        std::fs::write(&path, text).at(&path)?;
    }
    let mut npm = project.command("npm");
    npm.current_dir(home)
        .args(["install", "--no-audit", "--no-fund", "--loglevel", "error"])
        .arg(archive);
    process::run(&mut npm)
}

fn types(project: &Project, home: &Path) -> Result<()> {
    process::run(project.tool("typescript/bin/tsc").current_dir(home))
}

fn quick_start(project: &Project, home: &Path, runtime: Runtime, script: &str) -> Result<()> {
    let mut node = project.runtime(runtime);
    let watched = process::watch(node.current_dir(home).arg(script), process::HANGS)?;
    if watched.status.success() && !watched.text.trim().is_empty() {
        return Ok(());
    }
    Err(Error::Missing(format!(
        "the quick start {} on {}",
        if watched.status.success() {
            "prints nothing"
        } else {
            "fails"
        },
        runtime.name()
    )))
}

/// The first fenced block of a language in a Markdown text.
fn fenced(markdown: &str, language: &str) -> Option<String> {
    let mut lines = markdown.lines();
    lines.find(|line| {
        line.strip_prefix("```")
            .is_some_and(|info| info.trim() == language)
    })?;
    let body: Vec<&str> = lines.take_while(|line| !line.starts_with("```")).collect();
    Some(body.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "package/package.json\npackage/README.md\npackage/LICENSE\npackage/dist/index.js\n\
        package/dist/index.d.ts\npackage/dist/host/turn.js\npackage/lib/knit-node.linux-x64.node\n\
        package/lib/libknit_ffi.linux-x64.so\n";
    const LIBRARIES: [&str; 2] = ["knit-node.linux-x64.node", "libknit_ffi.linux-x64.so"];

    #[test]
    fn a_whole_package_is_not_complained_about() {
        assert_eq!(complain(WHOLE, &LIBRARIES), None);
    }

    #[test]
    fn a_missing_file_is_named() {
        let list = WHOLE.replace("package/LICENSE\n", "");
        assert!(complain(&list, &LIBRARIES).unwrap().contains("LICENSE"));
        assert!(
            complain(WHOLE, &["knit-node.linux-arm64.node", LIBRARIES[1]])
                .unwrap()
                .contains("arm64")
        );
    }

    #[test]
    fn a_source_in_the_package_is_named() {
        let list = format!("{WHOLE}package/dist/index.ts\n");
        assert!(
            complain(&list, &LIBRARIES)
                .unwrap()
                .contains("dist/index.ts")
        );
    }

    #[test]
    fn the_first_block_of_the_language_is_taken() {
        let text = "# A\n```sh\nnpm i\n```\n\n```ts\na;\nb;\n```\n```ts\nc;\n```\n";
        assert_eq!(fenced(text, "ts").as_deref(), Some("a;\nb;\n"));
        assert_eq!(fenced(text, "js"), None);
    }
}
