//! Denied places within allowed folders, for a process that can have a view of the file system of its own.
//!
//! Where the kernel lets a process have its own mounts, a denied file or folder is covered in the process's view, and the folder around it is
//! allowed as a whole: files made later are as allowed as those of before. Where it does not, the folder is opened up ([`super::files`]).
//!
//! A covered file cannot be opened, a covered folder is empty, both cannot be changed, moved or removed. What must stay readable (the package, the
//! runtime) is never covered: its place is opened up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{Grant, lies_in, without};
use crate::host::{Entry, Facts};

/// How a place is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cover {
    /// A file that cannot be opened.
    File,
    /// An empty folder.
    Folder,
    /// The same, and nothing in it can be changed.
    ReadOnly,
}

/// A place that a process does not see as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mask {
    /// Where.
    pub path: PathBuf,
    /// How.
    pub cover: Cover,
}

/// What the kernel is told about files.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) read: Vec<Grant>,
    pub(super) write: Vec<Grant>,
    pub(super) masks: Vec<Mask>,
}

/// Splits what is denied into what is covered and what is opened up around.
pub(super) fn seen(facts: &Facts, mounts: bool) -> Seen {
    let mut masks = BTreeMap::new();
    let (readable, writable) = (facts.readable(), facts.writable());
    let mut rest = |allowed: &[PathBuf], denied: Vec<PathBuf>, read: bool| -> Vec<PathBuf> {
        let (covered, rest): (Vec<PathBuf>, _) = denied
            .into_iter()
            .partition(|path| mounts && can_be_covered(path, allowed, facts));
        for path in covered {
            let cover = match (read, kind(&path, facts)) {
                (false, _) => Cover::ReadOnly,
                (true, Some(Entry::Folder)) => Cover::Folder,
                (true, Some(Entry::File)) => Cover::File,
                // Not there: nothing to cover.
                (true, Some(Entry::Link(_)) | None) => continue,
            };
            // Reading is asked first: what cannot be read needs no other cover.
            masks.entry(path).or_insert(cover);
        }
        rest
    };
    let mut denied = facts.denied_reads();
    denied.retain(|path| !facts.runtime.own_secrets.contains(path));
    let reads = rest(&readable, denied, true);
    let writes = rest(&writable, facts.denied_writes(), false);
    let read = if facts.denies_all_reads() {
        Vec::new()
    } else {
        without(&readable, &reads, &facts.folders)
    };
    let write = if facts.denies_all_writes() {
        Vec::new()
    } else {
        without(&writable, &writes, &facts.folders)
    };
    Seen {
        read,
        write,
        masks: masks
            .into_iter()
            .map(|(path, cover)| Mask { path, cover })
            .collect(),
    }
}

fn can_be_covered(path: &Path, allowed: &[PathBuf], facts: &Facts) -> bool {
    let within = allowed
        .iter()
        .any(|root| path.starts_with(root) && root != path)
        && !lies_in_any(allowed, path);
    let needed = facts
        .package
        .iter()
        .chain(&facts.runtime.execute)
        .chain(&facts.runtime.read)
        .chain(&facts.imports);
    within
        && kind(path, facts).is_some()
        && !needed.into_iter().any(|needed| needed.starts_with(path))
}

/// Whether some allowed place lies in a denied one: named on purpose, it would be covered too.
fn lies_in_any(allowed: &[PathBuf], denied: &Path) -> bool {
    allowed
        .iter()
        .any(|root| lies_in(root, &[denied.to_owned()]))
}

fn kind(path: &Path, facts: &Facts) -> Option<Entry> {
    let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
    facts.folders.get(folder)?.get(name).cloned()
}
