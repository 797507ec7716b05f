//! Whether a failure in a worker is the policy's doing.
//!
//! Runtimes and the kernel say it in their own words. `ERR_ACCESS_DENIED` (Node) and `NotCapable` (Deno) mean nothing else. EACCES and EPERM mean
//! many things; they count only for what the plan really denies, so that a file that belongs to somebody else stays an ordinary error.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Enforcer, Grant, Key, Plan, Strength};

/// What is known of an error: properties of the error object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// `error.name`.
    pub name: String,
    /// `error.code`.
    pub code: String,
    /// `error.syscall`.
    pub syscall: String,
    /// `error.permission` (Node).
    pub permission: String,
    /// `error.resource` (Node), `error.path`, or an address.
    pub resource: String,
    /// `error.message`.
    pub message: String,
}

/// A failure that the policy has caused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The key of the policy.
    pub permission: Key,
    /// What was asked for, if it is known.
    pub resource: String,
    /// Who denied it.
    pub mechanism: Enforcer,
}

impl Plan {
    /// Explains a failure, if the policy has caused it.
    #[must_use]
    pub fn denial(&self, failure: &Failure) -> Option<Denial> {
        if self.unrestricted {
            return None;
        }
        let denial = |permission, mechanism| {
            let resource = match failure.resource.as_str() {
                "" if failure.name == "NotCapable" => quoted(&failure.message),
                resource => resource,
            };
            Some(Denial {
                permission,
                resource: resource.to_owned(),
                mechanism,
            })
        };
        match (failure.code.as_str(), failure.name.as_str()) {
            ("ERR_ACCESS_DENIED", _) => denial(node(&failure.permission), Enforcer::Runtime),
            ("ERR_DLOPEN_DISABLED", _) => denial(Key::Ffi, Enforcer::Runtime),
            // The package's own.
            ("ERR_WORKER_DISABLED", _) => denial(Key::Workers, Enforcer::Guard),
            ("EACCES" | "EPERM", _) => {
                let key = self.by_syscall(failure)?;
                denial(key, Enforcer::Kernel)
            }
            // What is covered is not there, cannot be changed, and cannot be moved.
            ("ENOENT", _) if self.is_masked(failure) => denial(Key::Read, Enforcer::Kernel),
            ("EROFS" | "EBUSY", _) if self.is_masked(failure) => {
                denial(Key::Write, Enforcer::Kernel)
            }
            (_, "NotCapable") => denial(deno(&failure.message), Enforcer::Runtime),
            (_, "PermissionDenied") => denial(self.by_syscall(failure)?, Enforcer::Kernel),
            _ => None,
        }
    }

    fn is_masked(&self, failure: &Failure) -> bool {
        let path = crate::host::lexical(Path::new(&failure.resource));
        let process = self
            .kernel
            .as_ref()
            .and_then(|kernel| kernel.process.as_ref());
        process.is_some_and(|process| {
            process
                .masks
                .iter()
                .any(|mask| path.starts_with(&mask.path))
        })
    }

    fn by_syscall(&self, failure: &Failure) -> Option<Key> {
        let by_kernel = |key: &Key| {
            let outcome = self.keys.get(key)?;
            let enforced =
                outcome.strength != Strength::Allowed && outcome.by.contains(&Enforcer::Kernel);
            enforced.then_some(*key)
        };
        let path = Path::new(&failure.resource);
        match failure.syscall.as_str() {
            "connect" | "bind" | "listen" | "socket" | "accept" | "send" | "getaddrinfo"
            | "querya" | "queryaaaa" => by_kernel(&Key::Net),
            "spawn" | "fork" | "clone" | "vfork" | "execve" | "posix_spawn" => by_kernel(&Key::Run),
            other if other.starts_with("spawn") => by_kernel(&Key::Run),
            "kill" => by_kernel(&Key::Signals),
            "chmod" | "fchmod" | "lchmod" | "chown" | "fchown" | "lchown" | "utime" | "futime"
            | "lutime" => by_kernel(&Key::Write),
            // Without a name, the path tells: what may not even be read was denied for reading.
            _ if is_url(&failure.resource) => by_kernel(&Key::Net),
            _ if path.is_absolute() => {
                match (covers(&self.read, path), covers(&self.write, path)) {
                    (false, _) => by_kernel(&Key::Read),
                    (true, false) => by_kernel(&Key::Write),
                    (true, true) => None,
                }
            }
            _ => None,
        }
    }
}

/// Whether a granted place holds a path, as written.
fn covers(grants: &[Grant], path: &Path) -> bool {
    let real = crate::host::lexical(path);
    grants.iter().any(|grant| {
        if grant.names {
            real == grant.path
        } else {
            real.starts_with(&grant.path)
        }
    })
}

fn node(permission: &str) -> Key {
    match permission {
        "FileSystemWrite" => Key::Write,
        "ChildProcess" => Key::Run,
        "WorkerThreads" => Key::Workers,
        "WASI" => Key::Wasi,
        "Net" => Key::Net,
        "Addon" | "FFI" => Key::Ffi,
        _ => Key::Read,
    }
}

/// Whether a request's address was reported in place of a path (Bun).
fn is_url(resource: &str) -> bool {
    ["http://", "https://", "ws://", "wss://"]
        .iter()
        .any(|scheme| resource.starts_with(scheme))
}

/// What stands between the first two quotation marks: in Deno's messages what was asked for.
fn quoted(message: &str) -> &str {
    message.split('"').nth(1).unwrap_or("")
}

/// Deno says it in its message only: `Requires net access to "host:port", run again with the --allow-net flag`.
fn deno(message: &str) -> Key {
    let word = message.split_once("--allow-").map_or("", |(_, rest)| rest);
    let word = word
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or("");
    match word {
        "write" => Key::Write,
        "net" => Key::Net,
        "env" => Key::Env,
        "run" => Key::Run,
        "ffi" => Key::Ffi,
        "sys" => Key::Sys,
        "import" => Key::Import,
        _ => Key::Read,
    }
}
