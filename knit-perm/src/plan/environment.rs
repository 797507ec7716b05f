//! Which variables a worker gets.
//!
//! Left out, `env` passes on what a runtime needs to run and to print: paths, language, time zone, colours. Nothing that could hold a secret, and
//! nothing that changes what the runtime loads. On Deno that may start some programs, not where programs find libraries: it starts none then.

use std::collections::BTreeMap;

use super::target::{Runtime, Target};
use crate::host::Facts;
use crate::policy::{Policy, Scope};

const NEEDED: [&str; 24] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TZDIR",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "FORCE_COLOR",
    "CI",
    "NODE_ENV",
    "LD_LIBRARY_PATH",
    "KNITTING_DEBUG",
    "SystemRoot",
    "SystemDrive",
    "PATHEXT",
];

const DENO: [&str; 3] = ["DENO_DIR", "XDG_CACHE_HOME", "DENO_NO_UPDATE_CHECK"];

/// Flags and preloads in disguise: passed on only if `env.allow` names them.
const FLAGS: [&str; 8] = [
    "NODE_OPTIONS",
    "NODE_REPL_EXTERNAL_MODULE",
    "NODE_PATH",
    "BUN_OPTIONS",
    "BUN_INSPECT",
    "DENO_FLAGS",
    "LD_PRELOAD",
    "LD_AUDIT",
];

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

fn any(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, name))
}

/// The environment of the worker.
pub(super) fn reduced(policy: &Policy, target: &Target, facts: &Facts) -> BTreeMap<String, String> {
    let env = policy.env.clone().unwrap_or_default();
    let some_programs = matches!(policy.run, Some(Scope::Only(_)));
    let in_the_way =
        |name: &str| target.runtime == Runtime::Deno && some_programs && name == "LD_LIBRARY_PATH";
    let needed = |name: &str| {
        (NEEDED.iter().any(|pattern| matches(pattern, name)) && !in_the_way(name))
            || (target.runtime == Runtime::Deno && DENO.contains(&name))
    };
    let passed = |name: &str| match &env.allow {
        None => needed(name),
        Some(Scope::Nothing) => false,
        Some(Scope::Everything) => !FLAGS.contains(&name),
        Some(Scope::Only(patterns)) => any(patterns, name),
    };
    let host = facts.env.iter().filter(|(name, _)| passed(name));
    let mut variables: BTreeMap<String, String> = host
        .chain(&facts.env_files)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    variables.retain(|name, _| !any(&env.deny, name));
    variables
}

/// Deno does not start without a folder of its own: it is told which one, if the variables that it finds it by are not passed on.
pub(super) fn keep_deno_folder(env: &mut BTreeMap<String, String>, facts: &Facts) {
    if ["DENO_DIR", "XDG_CACHE_HOME", "HOME"]
        .iter()
        .any(|name| env.contains_key(*name))
    {
        return;
    }
    let of = |name: &str| facts.env.get(name).filter(|value| !value.is_empty());
    let folder = of("DENO_DIR")
        .cloned()
        .or_else(|| of("XDG_CACHE_HOME").map(|cache| format!("{cache}/deno")))
        .or_else(|| of("HOME").map(|home| format!("{home}/.cache/deno")));
    if let Some(folder) = folder {
        env.insert("DENO_DIR".into(), folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_ending_and_nothing_else() {
        assert!(matches("LC_*", "LC_ALL"));
        assert!(matches("LC_*", "LC_"));
        assert!(!matches("LC_*", "XLC_"));
        assert!(!matches("PATH", "PATHEXT"));
    }
}
