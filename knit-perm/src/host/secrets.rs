//! The usual places of secrets, denied unless the policy names them or says `denyRead: false`.
//!
//! What is searched: the home folder for what programs keep there, and every folder that may be read for what projects keep in theirs, to a
//! depth of [`DEPTH`] folders and at most [`MOST_FOLDERS`] of them, leaving out `node_modules` and hidden folders. What lies deeper, or is made later,
//! is not known and not denied; the plan says so in a caveat.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::folders;

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
    let mut level = readable.to_vec();
    for depth in 0..=DEPTH {
        // The same each time, in whatever order the file system tells.
        if level.len() > budget {
            level.sort();
            level.truncate(budget);
        }
        budget -= level.len();
        let Seen { secrets, folders } = look_at(&level, depth < DEPTH);
        found.extend(secrets);
        level = folders;
    }
    found
}

/// What some folders hold.
#[derive(Default)]
struct Seen {
    secrets: Vec<PathBuf>,
    /// Where to go on.
    folders: Vec<PathBuf>,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.secrets.extend(other.secrets);
        self.folders.extend(other.folders);
    }
}

/// Below so many folders a thread costs more than it saves.
const SHARE: usize = 16;

/// Looks at all folders of one depth, half of them in a thread: a pool's start waits for this, and its other cores have nothing to do yet.
fn look_at(folders: &[PathBuf], deeper: bool) -> Seen {
    if folders.len() < 2 * SHARE {
        return look_at_each(folders, deeper);
    }
    let (here, there) = folders.split_at(folders.len() / 2);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("knit-plan".into())
            .spawn_scoped(scope, || look_at_each(there, deeper));
        let mut seen = look_at_each(here, deeper);
        seen.add(match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(rest)) => rest,
            // The system has no thread to give; what panicked there does so here.
            Ok(Err(_)) | Err(_) => look_at_each(there, deeper),
        });
        seen
    })
}

fn look_at_each(folders: &[PathBuf], deeper: bool) -> Seen {
    let mut seen = Seen::default();
    for folder in folders {
        look_into(folder, deeper, &mut seen);
    }
    seen
}

fn look_into(folder: &Path, deeper: bool, seen: &mut Seen) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| folders::is_speakable(name)) else {
            continue;
        };
        if is_secret(name) {
            // A link is denied where it ends: it is the file there that counts.
            let path = match entry.file_type() {
                Ok(kind) if kind.is_symlink() => std::fs::canonicalize(entry.path()).ok(),
                kind => kind.ok().map(|_| entry.path()),
            };
            seen.secrets.extend(path);
        } else if deeper
            && name != "node_modules"
            && !name.starts_with('.')
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
        {
            seen.folders.push(entry.path());
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
