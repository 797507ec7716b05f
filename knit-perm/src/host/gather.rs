//! Asking the machine for the facts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::paths::Base;
use super::{Facts, HostError, Kernel, Os, Place, dotenv, folders, project, runtime, secrets};
use crate::plan::{Kind, Runtime, Target};
use crate::policy::{Policy, Scope};

impl Facts {
    /// Looks up everything that a plan for `target` depends on. `env` is the host's environment, `kernel` what the kernel can do
    /// ([`crate::kernel()`]).
    ///
    /// # Errors
    /// The policy names what is not there, or what cannot be told to a runtime; see [`HostError`].
    pub fn gather(
        policy: &Policy,
        target: &Target,
        env: BTreeMap<String, String>,
        kernel: Kernel,
    ) -> Result<Self, HostError> {
        let host_cwd = std::env::current_dir().map_err(|source| HostError::Unreadable {
            key: "cwd",
            path: PathBuf::from("."),
            source,
        })?;
        let home = env
            .get("HOME")
            .filter(|home| !home.is_empty())
            .map(PathBuf::from);
        let home = home.and_then(|home| std::fs::canonicalize(home).ok());
        let outer = Base {
            cwd: &host_cwd,
            home: home.as_deref(),
        };
        let cwd = outer.existing("cwd", policy.cwd.as_deref().unwrap_or("."))?;
        let look = Look {
            base: Base {
                cwd: &cwd.given,
                home: home.as_deref(),
            },
            path: env.get("PATH").map(String::as_str),
        };
        let package: BTreeSet<PathBuf> = target
            .package
            .iter()
            .chain(&target.modules)
            .chain(&target.library)
            .cloned()
            .collect();
        let package = look.all("package", &package)?;
        let imports = match policy.allow_import {
            Some(false) => BTreeSet::new(),
            None | Some(true) => {
                let modules = look.all("modules", &target.modules.iter().cloned().collect())?;
                let folders = modules.iter().chain(&package).filter_map(|path| {
                    if path.is_dir() {
                        Some(path.as_path())
                    } else {
                        path.parent()
                    }
                });
                let starts: Vec<PathBuf> = folders
                    .map(Path::to_owned)
                    .chain([cwd.real.clone()])
                    .collect();
                project::imports(&starts, home.as_deref())
            }
        };
        let program = match target.kind {
            Kind::Process => target.executable.as_deref(),
            Kind::Thread => None,
        };
        let run = policy
            .run
            .as_ref()
            .map(|scope| look.commands("run", scope))
            .transpose()?;
        let mut facts = Self {
            os: Os::this(),
            kernel,
            env_files: look.env_files(policy)?,
            read: look.scope("read", policy.read.as_ref(), Base::existing)?,
            write: look.scope("write", policy.write.as_ref(), Base::existing)?,
            deny_read: look.scope("denyRead", policy.deny_read.as_ref(), Base::denied)?,
            deny_write: look.scope("denyWrite", policy.deny_write.as_ref(), Base::denied)?,
            ffi: look.scope("ffi", policy.ffi.as_ref(), Base::existing)?,
            run_execute: run
                .iter()
                .flat_map(|(_, needed)| needed.iter().cloned())
                .collect(),
            run: run.map(|(scope, _)| scope),
            deny_run: policy
                .deny_run
                .as_ref()
                .map(|scope| look.commands("denyRun", scope))
                .transpose()?
                .map(|(scope, _)| scope),
            secrets: BTreeSet::new(),
            imports,
            package: project::outermost(package),
            runtime: runtime::files(program)?,
            folders: BTreeMap::new(),
            env,
            cwd,
        };
        facts.find_secrets(policy, home.as_deref());
        facts.find_needs_of(target, home.as_deref());
        facts.list_folders();
        Ok(facts)
    }

    /// The folders and files that may be read before anything is denied.
    pub(crate) fn readable(&self) -> Vec<PathBuf> {
        let mut roots: Vec<PathBuf> = match &self.read {
            None => vec![self.cwd.real.clone()],
            Some(Scope::Everything) => vec![PathBuf::from("/")],
            Some(scope) => scope
                .items()
                .iter()
                .map(|place| place.real.clone())
                .collect(),
        };
        roots.extend(self.imports.iter().cloned());
        project::outermost(roots.into_iter().collect())
            .into_iter()
            .collect()
    }

    /// The folders and files that may be written before anything is denied.
    pub(crate) fn writable(&self) -> Vec<PathBuf> {
        match &self.write {
            None => vec![self.cwd.real.clone()],
            Some(Scope::Everything) => vec![PathBuf::from("/")],
            Some(scope) => project::outermost(
                scope
                    .items()
                    .iter()
                    .map(|place| place.real.clone())
                    .collect(),
            )
            .into_iter()
            .collect(),
        }
    }

    fn find_secrets(&mut self, policy: &Policy, home: Option<&Path>) {
        if policy.deny_read == Some(Scope::Nothing) {
            return;
        }
        let named: Vec<&Path> = self
            .read
            .iter()
            .flat_map(Scope::items)
            .map(|place| place.real.as_path())
            .collect();
        let everything = Some(Scope::Everything) == self.read;
        // Below `/` everything would be searched; what is in the home and the project is known by name.
        let searched: Vec<PathBuf> = self
            .readable()
            .into_iter()
            .filter(|root| root.parent().is_some())
            .chain(everything.then(|| self.cwd.real.clone()))
            .collect();
        self.secrets = secrets::find(&searched, home);
        // Named on purpose, it is meant.
        self.secrets
            .retain(|secret| !named.iter().any(|path| path.starts_with(secret)));
    }

    /// What a runtime opens by itself, whatever its worker does.
    fn find_needs_of(&mut self, target: &Target, home: Option<&Path>) {
        if (target.runtime, target.kind) == (Runtime::Deno, Kind::Process) {
            // It does not start if there is one that it may not read.
            let denied = self.denied_reads().into_iter();
            let of_home = home.map(|home| home.join(".npmrc"));
            self.runtime.own_secrets = denied
                .chain(of_home.filter(|path| path.is_file()))
                .filter(|path| path.file_name().is_some_and(|name| name == ".npmrc"))
                .collect();
            // Without them it compiles all anew, which takes longer than the rest of its start. Its own checks keep them from tasks.
            let mut caches = runtime::deno_caches(&self.env, home);
            let denied = self.denied_reads();
            caches.retain(|path| !denied.iter().any(|denied| path.starts_with(denied)));
            self.runtime.read.extend(caches);
        }
        if (target.runtime, target.kind) == (Runtime::Bun, Kind::Process) {
            let files = self.package.iter().filter(|path| path.is_file());
            // It sees what is installed in a folder only if it may list that folder.
            let installed = self.imports.iter();
            let installed = installed.filter(|path| path.ends_with("node_modules"));
            let around = installed
                .filter_map(|path| path.parent())
                .filter(|folder| folder.parent().is_some() && home != Some(*folder));
            self.runtime.listed = files
                .filter_map(|path| path.parent())
                .chain(around)
                .map(Path::to_owned)
                .collect();
        }
        if target.kind == Kind::Thread {
            let certificates = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"]
                .iter()
                .filter_map(|name| std::fs::canonicalize(self.env.get(*name)?).ok());
            self.runtime.network.extend(certificates);
        }
    }

    fn list_folders(&mut self) {
        let denied: Vec<PathBuf> = self.denied_reads();
        folders::around(&self.readable(), &denied, &mut self.folders);
        let denied = self.denied_writes();
        folders::around(&self.writable(), &denied, &mut self.folders);
    }

    /// Whether nothing at all may be read but what a worker needs for itself.
    pub(crate) fn denies_all_reads(&self) -> bool {
        self.deny_read == Some(Scope::Everything)
    }

    /// Whether nothing at all may be written.
    pub(crate) fn denies_all_writes(&self) -> bool {
        self.deny_write == Some(Scope::Everything)
    }

    /// What may not be read, within what may.
    pub(crate) fn denied_reads(&self) -> Vec<PathBuf> {
        let named = self
            .deny_read
            .iter()
            .flat_map(Scope::items)
            .map(|place| place.real.clone());
        named.chain(self.secrets.iter().cloned()).collect()
    }

    /// What may not be written, within what may.
    pub(crate) fn denied_writes(&self) -> Vec<PathBuf> {
        let named = self.deny_write.iter().flat_map(Scope::items);
        named.map(|place| place.real.clone()).collect()
    }
}

struct Look<'a> {
    base: Base<'a>,
    path: Option<&'a str>,
}

type Find<'a> = fn(&Base<'a>, &'static str, &str) -> Result<Place, HostError>;

impl<'a> Look<'a> {
    fn scope(
        &self,
        key: &'static str,
        scope: Option<&Scope<String>>,
        find: Find<'a>,
    ) -> Result<Option<Scope<Place>>, HostError> {
        scope
            .map(|scope| map(scope, |text| find(&self.base, key, text)))
            .transpose()
    }

    fn all(
        &self,
        key: &'static str,
        paths: &BTreeSet<PathBuf>,
    ) -> Result<BTreeSet<PathBuf>, HostError> {
        paths
            .iter()
            .map(|path| match path.to_str() {
                Some(text) => Ok(self.base.existing(key, text)?.real),
                None => Err(HostError::Unspeakable {
                    key,
                    path: path.clone(),
                }),
            })
            .collect()
    }

    /// Commands, and what starting them executes besides.
    fn commands(
        &self,
        key: &'static str,
        scope: &Scope<String>,
    ) -> Result<(Scope<Place>, BTreeSet<PathBuf>), HostError> {
        let mut needed = BTreeSet::new();
        let scope = map(scope, |text| {
            let given = if text.contains('/') {
                self.base.existing(key, text)?.given
            } else {
                runtime::search(text, self.path).ok_or_else(|| HostError::NoCommand {
                    key,
                    command: text.clone(),
                })?
            };
            let (real, besides) = runtime::executable(&given)?;
            needed.extend(besides);
            Ok(Place { real, given })
        })?;
        Ok((scope, needed))
    }

    fn env_files(&self, policy: &Policy) -> Result<BTreeMap<String, String>, HostError> {
        let mut variables = BTreeMap::new();
        for text in policy.env.iter().flat_map(|env| &env.files) {
            let path = self.base.existing("env.files", text)?.real;
            let text = std::fs::read_to_string(&path).map_err(|source| HostError::Unreadable {
                key: "env.files",
                path: path.clone(),
                source,
            })?;
            variables
                .extend(dotenv::parse(&text).map_err(|line| HostError::BadEnvFile { path, line })?);
        }
        Ok(variables)
    }
}

fn map<T, U, E>(scope: &Scope<T>, each: impl FnMut(&T) -> Result<U, E>) -> Result<Scope<U>, E> {
    Ok(match scope {
        Scope::Nothing => Scope::Nothing,
        Scope::Everything => Scope::Everything,
        Scope::Only(items) => Scope::Only(items.iter().map(each).collect::<Result<_, _>>()?),
    })
}
