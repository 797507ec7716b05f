//! The files that a runtime needs to start, found on this machine.
//!
//! Tried with Node.js, Deno and Bun on Linux (glibc): the executable and the dynamic loader are executed; libraries, time zones, locales and a
//! few facts about the machine are read. What is not there is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{HostError, RuntimeFiles, elf};

/// Folders of libraries, and the loader's configuration.
const LIBRARIES: [&str; 14] = [
    "/lib",
    "/lib64",
    "/lib32",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/nix/store",
    "/gnu/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld-musl-x86_64.path",
    "/etc/ld-musl-aarch64.path",
];

/// Configuration and facts without secrets.
const FACTS: [&str; 16] = [
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/os-release",
    "/usr/share/zoneinfo",
    "/usr/share/locale",
    "/usr/share/i18n",
    "/usr/share/icu",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/loadavg",
    "/proc/uptime",
    "/sys/devices/system/cpu",
    "/sys/kernel/mm/transparent_hugepage",
];

/// Certificates and the resolver.
const NETWORK: [&str; 12] = [
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/share/pki",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
];

const DEVICES: [&str; 2] = ["/dev/null", "/dev/zero"];
const RANDOM: [&str; 2] = ["/dev/urandom", "/dev/random"];

fn there<'a>(paths: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = PathBuf> {
    paths
        .into_iter()
        .filter_map(|path| std::fs::canonicalize(path).ok())
}

/// What `program` needs. Without a program (threads), what its libraries need.
pub(super) fn files(program: Option<&Path>) -> Result<RuntimeFiles, HostError> {
    let mut files = RuntimeFiles {
        execute: BTreeSet::new(),
        read: there(LIBRARIES.into_iter().chain(FACTS).chain(RANDOM)).collect(),
        devices: there(DEVICES).collect(),
        network: there(NETWORK).collect(),
        listed: BTreeSet::new(),
        own_secrets: BTreeSet::new(),
    };
    if let Some(program) = program {
        let (real, needed) = executable(program)?;
        // Libraries beside a runtime that is installed in a folder of its own.
        files.read.extend(
            real.parent()
                .and_then(Path::parent)
                .map(|root| root.join("lib"))
                .filter(|lib| lib.is_dir()),
        );
        files.execute.insert(real);
        files.execute.extend(needed);
    }
    Ok(files)
}

/// The databases in which Deno keeps what it knows of modules: what they import, and their compiled code.
pub(super) fn deno_caches(env: &BTreeMap<String, String>, home: Option<&Path>) -> Vec<PathBuf> {
    let of = |name: &str| env.get(name).filter(|value| !value.is_empty());
    let folder = of("DENO_DIR")
        .map(PathBuf::from)
        .or_else(|| of("XDG_CACHE_HOME").map(|cache| Path::new(cache).join("deno")))
        .or_else(|| home.map(|home| home.join(".cache/deno")));
    let kept = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        ["dep_analysis_cache", "node_analysis_cache", "v8_code_cache"]
            .iter()
            .any(|database| name.starts_with(database))
    };
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
    entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| std::fs::canonicalize(entry.path()).ok())
        .filter(|path| path.is_file() && kept(path))
        .collect()
}

/// A program's real path, and the loaders and interpreters that its start executes besides.
pub(super) fn executable(program: &Path) -> Result<(PathBuf, BTreeSet<PathBuf>), HostError> {
    let failed = |source| HostError::NoProgram {
        path: program.to_owned(),
        source,
    };
    let real = std::fs::canonicalize(program).map_err(failed)?;
    let mut needed = BTreeSet::new();
    let mut next = elf::interpreter(&real).map_err(failed)?;
    // A script's interpreter has a loader of its own; nobody nests deeper than the kernel allows (4).
    for _ in 0..4 {
        let Some(path) = next
            .as_deref()
            .and_then(|path| std::fs::canonicalize(path).ok())
        else {
            break;
        };
        next = elf::interpreter(&path).map_err(failed)?;
        needed.insert(path);
    }
    Ok((real, needed))
}

/// Looks a command up as a shell does.
pub(super) fn search(command: &str, path: Option<&str>) -> Option<PathBuf> {
    let folders = path.unwrap_or("/usr/local/bin:/usr/bin:/bin");
    std::env::split_paths(folders)
        .map(|folder| folder.join(command))
        .find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
