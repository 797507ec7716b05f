//! What lies in a folder, and what links in `node_modules` lead to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Entry;

/// The names in a folder; none if it cannot be read. Names that are not Unicode, or hold what runtimes read as a pattern, are left out: nothing
/// can be allowed for them.
pub(super) fn list(folder: &Path) -> BTreeMap<String, Entry> {
    let mut entries = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if !is_speakable(&name) {
            continue;
        }
        let kind = match entry.file_type() {
            Ok(kind) if kind.is_dir() => Entry::Folder,
            Ok(kind) if kind.is_symlink() => match std::fs::canonicalize(entry.path()) {
                Ok(target) => Entry::Link(target),
                Err(_) => continue,
            },
            Ok(_) => Entry::File,
            Err(_) => continue,
        };
        entries.insert(name, kind);
    }
    entries
}

/// Whether a name can be told to a runtime, which would read others as a pattern or a list.
pub(super) fn is_speakable(name: &str) -> bool {
    !name.contains(['*', ','])
}

/// Lists every folder from an allowed one down to a denied path within it.
pub(super) fn around(
    allowed: &[PathBuf],
    denied: &[PathBuf],
    folders: &mut BTreeMap<PathBuf, BTreeMap<String, Entry>>,
) {
    for path in denied {
        for root in allowed
            .iter()
            .filter(|root| path.starts_with(root) && *root != path)
        {
            let mut folder = path.parent();
            while let Some(at) = folder.filter(|at| at.starts_with(root)) {
                if !folders.contains_key(at) && at.is_dir() {
                    folders.insert(at.to_owned(), list(at));
                }
                folder = at.parent();
            }
        }
    }
}
