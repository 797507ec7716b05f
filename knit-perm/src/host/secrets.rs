//! The usual places of secrets, denied unless the policy names them or says `denyRead: false`.
//!
//! What is searched: the home folder for what programs keep there, and every folder that may be read for what projects keep in theirs, to a
//! depth of [`DEPTH`] folders and at most [`MOST_FOLDERS`] of them, leaving out `node_modules` and hidden folders. What lies deeper, or is made later,
//! is not known and not denied; the plan says so in a caveat.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Entry, folders};

/// How deep below a readable folder secrets are searched for.
pub(crate) const DEPTH: usize = 3;
const MOST_FOLDERS: usize = 2000;

/// Below the home folder.
const HOME: [&str; 30] = [
    ".ssh",
    ".aws",
    ".azure",
    ".gnupg",
    ".kube",
    ".docker",
    ".password-store",
    ".netrc",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".gitconfig",
    ".vault-token",
    ".bash_history",
    ".zsh_history",
    ".node_repl_history",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".config/gcloud",
    ".config/gh",
    ".config/git",
    ".config/op",
    ".local/share/keyrings",
    ".mozilla",
    ".config/google-chrome",
    ".terraform.d",
];

/// In any folder of a project.
const PROJECT: [&str; 12] = [
    ".env",
    ".git",
    ".hg",
    ".svn",
    ".npmrc",
    ".netrc",
    ".ssh",
    ".aws",
    ".git-credentials",
    ".dev.vars",
    "id_rsa",
    "id_ed25519",
];

/// Environment files that hold examples.
const HARMLESS: [&str; 4] = [".example", ".sample", ".template", ".dist"];

fn is_secret(name: &str) -> bool {
    PROJECT.contains(&name)
        || (name.starts_with(".env.") && !HARMLESS.iter().any(|end| name.ends_with(end)))
}

/// The secrets that are there.
pub(super) fn find(readable: &[PathBuf], home: Option<&Path>) -> BTreeSet<PathBuf> {
    let mut found: BTreeSet<PathBuf> = home
        .into_iter()
        .flat_map(|home| HOME.map(|name| home.join(name)))
        .filter_map(|path| std::fs::canonicalize(path).ok())
        .collect();
    let mut budget = MOST_FOLDERS;
    for root in readable {
        search(root, DEPTH, &mut budget, &mut found);
    }
    found
}

fn search(folder: &Path, depth: usize, budget: &mut usize, found: &mut BTreeSet<PathBuf>) {
    if *budget == 0 {
        return;
    }
    *budget -= 1;
    for (name, entry) in folders::list(folder) {
        if is_secret(&name) {
            let path = folder.join(&name);
            // A link is denied where it ends: it is the file there that counts.
            found.insert(match entry {
                Entry::Link(target) => target,
                Entry::File | Entry::Folder => path,
            });
        } else if entry == Entry::Folder
            && depth > 0
            && name != "node_modules"
            && !name.starts_with('.')
        {
            search(&folder.join(name), depth - 1, budget, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_projects_and_homes_are_found_and_examples_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        for path in [
            "p/packages/a/.git",
            "p/node_modules/x",
            "h/.ssh",
            "h/.config/gh",
        ] {
            std::fs::create_dir_all(root.join(path)).unwrap();
        }
        let files = [
            "p/.env",
            "p/.env.local",
            "p/.env.example",
            "p/packages/a/.env",
            "p/node_modules/x/.npmrc",
            "p/code.js",
        ];
        for path in files {
            std::fs::write(root.join(path), "").unwrap();
        }
        let found = find(&[root.join("p")], Some(&root.join("h")));
        let expected = [
            "p/.env",
            "p/.env.local",
            "p/packages/a/.env",
            "p/packages/a/.git",
            "h/.ssh",
            "h/.config/gh",
        ];
        assert_eq!(found, expected.map(|path| root.join(path)).into());
    }
}
