//! The packed package as Deno and Bun install it, each in an empty folder, and the quick start on it.
//!
//! | installer | what it is given | what is shown |
//! |---|---|---|
//! | `deno add` | the name, from a registry of one package on this machine | it runs with leave to load the library and to read the modules, and nothing else |
//! | `deno install` | a `package.json` that names it | it runs from `node_modules` |
//! | `bun add` | the archive | it runs |

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::build;
use crate::error::{At, Error, Result};
use crate::process;
use crate::project::{Project, Runtime};
use crate::report::Report;

const REGISTRY: &str = include_str!("../../templates/registry.mjs");
const NAME: &str = "@vixeny/knitting";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Adds a step for each installer.
pub fn steps(project: &Project, archive: &Path, quick_start: &str, report: &mut Report) {
    report.check("deno add, and the quick start", || {
        let folder = empty(quick_start)?;
        let registry = Registry::start(project, archive, folder.path())?;
        let home = folder.path();
        write(home, "deno.json", "{}\n")?;
        let package = format!("npm:{NAME}");
        process::run(deno(project, home, &registry).args(["add", &package]))?;
        process::run(deno(project, home, &registry).args(["check", "quick-start.ts"]))?;
        let cache = home.join("cache").display().to_string();
        let library = find(&home.join("cache"))?;
        prints(deno(project, home, &registry).args([
            "run",
            "--no-prompt",
            &format!("--allow-ffi={library}"),
            &format!("--allow-read={},{cache}", home.display()),
            "quick-start.ts",
        ]))
    });
    report.check("deno install, and the quick start", || {
        let folder = empty(quick_start)?;
        let registry = Registry::start(project, archive, folder.path())?;
        let home = folder.path();
        let manifest = format!(
            "{{ \"type\": \"module\", \"dependencies\": {{ \"{NAME}\": \"{VERSION}\" }} }}\n"
        );
        write(home, "package.json", &manifest)?;
        process::run(deno(project, home, &registry).arg("install"))?;
        // Links lead to the files themselves, and leave is asked for those.
        let library = find(&home.join("node_modules/.deno"))?;
        prints(deno(project, home, &registry).args([
            "run",
            "--no-prompt",
            &format!("--allow-ffi={library}"),
            "--allow-read",
            "quick-start.ts",
        ]))
    });
    report.check("bun add, and the quick start", || {
        let folder = empty(quick_start)?;
        let home = folder.path();
        write(home, "package.json", "{ \"type\": \"module\" }\n")?;
        let mut bun = project.runtime(Runtime::Bun);
        process::run(bun.current_dir(home).arg("add").arg(archive))?;
        prints(
            project
                .runtime(Runtime::Bun)
                .current_dir(home)
                .arg("quick-start.ts"),
        )
    });
}

/// A folder that holds the quick start and nothing else.
fn empty(quick_start: &str) -> Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new()
        .prefix("knit-install-")
        .tempdir()
        .at(&std::env::temp_dir())?;
    write(folder.path(), "quick-start.ts", quick_start)?;
    Ok(folder)
}

fn write(home: &Path, name: &str, text: &str) -> Result<()> {
    let path = home.join(name);
    std::fs::write(&path, text).at(&path)
}

/// Deno, with a cache of its own and that registry.
fn deno(project: &Project, home: &Path, registry: &Registry) -> Command {
    let mut deno = project.runtime(Runtime::Deno);
    deno.current_dir(home)
        .env("DENO_DIR", home.join("cache"))
        .env("NPM_CONFIG_REGISTRY", &registry.address)
        .env("NO_COLOR", "1");
    deno
}

/// The native library below a folder.
fn find(folder: &Path) -> Result<String> {
    build::files(folder)?
        .into_iter()
        .find(|file| file.extension().is_some_and(|end| end == "node"))
        .map(|file| file.display().to_string())
        .ok_or_else(|| Error::Missing(format!("no library below {}", folder.display())))
}

fn prints(command: &mut Command) -> Result<()> {
    let watched = process::watch(command, process::HANGS)?;
    if watched.status.success() && watched.text.contains("1229") {
        return Ok(());
    }
    Err(Error::Missing("the quick start does not work".to_owned()))
}

/// A registry of this one package, for as long as it lives.
struct Registry {
    address: String,
    child: Child,
}

impl Registry {
    fn start(project: &Project, archive: &Path, home: &Path) -> Result<Registry> {
        let script = home.join("registry.mjs");
        std::fs::write(&script, REGISTRY).at(&script)?;
        let mut node = project.runtime(Runtime::Node24);
        let mut child = node
            .arg(&script)
            .arg(archive)
            .args([NAME, VERSION])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .at(&project.runtime_path(Runtime::Node24))?;
        let mut address = String::new();
        let stdout = child.stdout.take().expect("stdout was asked to be a pipe");
        BufReader::new(stdout).read_line(&mut address).at(&script)?;
        let address = address.trim().to_owned();
        let registry = Registry { address, child };
        if registry.address.is_empty() {
            return Err(Error::Missing("the registry does not start".to_owned()));
        }
        Ok(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It ends with its input; this is for one that hangs.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
