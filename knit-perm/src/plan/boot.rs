//! What must be done in the host and in the worker, in order, before any task's module is loaded.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::grants::{Grants, Net};
use super::target::{Kind, Runtime, Target};
use crate::policy::Scope;

/// One step. The worker's entry module carries them out; all but [`BootStep::WarmSharedPool`] in the worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "step",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum BootStep {
    /// In the host, before the first restricted thread: one asynchronous read and one look-up, so that the threads that all share are not
    /// made by a restricted one (they would inherit its restrictions, and the host's own calls would fail).
    WarmSharedPool,
    /// Load the native library.
    LoadLibrary {
        /// Where it is.
        path: PathBuf,
    },
    /// Call [`crate::restrict_thread`] with the kernel's part of the plan.
    RestrictThread,
    /// `process.permission.drop(name)`.
    DropPermission {
        /// The permission's name.
        name: String,
    },
    /// Replace `process.dlopen` by a function that throws `ERR_DLOPEN_DISABLED`, not writable and not configurable.
    FreezeDlopen,
    /// `Deno.permissions.revokeSync({ name, path })`.
    Revoke {
        /// The permission's name.
        name: String,
        /// What of it; all, if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<PathBuf>,
    },
    /// Take the constructor of worker threads away from tasks.
    GuardWorkers,
    /// Let what tasks print go nowhere.
    MuteConsole,
}

pub(super) fn steps(target: &Target, grants: &Grants, kernel: bool) -> Vec<BootStep> {
    let mut steps = Vec::new();
    let thread = target.kind == Kind::Thread;
    let restrict = thread && kernel;
    if restrict && target.runtime != Runtime::Native {
        steps.push(BootStep::WarmSharedPool);
    }
    let library = target.library.as_ref();
    steps.extend(library.map(|path| BootStep::LoadLibrary { path: path.clone() }));
    if restrict {
        steps.push(BootStep::RestrictThread);
    }
    match target.runtime {
        Runtime::Node if library.is_some() && grants.ffi == Scope::Nothing => {
            steps.push(if target.version.0 >= 24 {
                BootStep::DropPermission {
                    name: "addon".into(),
                }
            } else {
                BootStep::FreezeDlopen
            });
        }
        Runtime::Deno => {
            // Without the option a thread has its host's permissions, and the engine opens its functions one by one.
            let own = !thread || target.worker_options;
            if let (Some(path), true) = (library, own && grants.ffi != Scope::Everything) {
                steps.push(BootStep::Revoke {
                    name: "ffi".into(),
                    path: Some(path.clone()),
                });
            }
            if thread && own && grants.net == Net::Nothing {
                steps.push(BootStep::Revoke {
                    name: "import".into(),
                    path: None,
                });
            }
            if !grants.workers {
                steps.push(BootStep::GuardWorkers);
            }
        }
        Runtime::Node | Runtime::Bun | Runtime::Native => {}
    }
    if thread && !grants.console && matches!(target.runtime, Runtime::Deno | Runtime::Bun) {
        steps.push(BootStep::MuteConsole);
    }
    steps
}
