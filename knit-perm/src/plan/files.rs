//! Allowed folders with denied places within: what is left to allow.
//!
//! Neither Landlock nor Node's permissions know exceptions within an allowed folder. So a folder on the way down to a denied place is opened up:
//! it may be listed at most, and each of its entries but the denied ones is allowed instead. That holds for the entries of now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::host::Entry;

/// A place that is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// The file, or the folder with all below.
    pub path: PathBuf,
    /// Only the names in the folder, not what lies below.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub names: bool,
}

/// What is left of `allowed` without `denied`; `folders` says what lies around the denied places.
pub(super) fn without(
    allowed: &[PathBuf],
    denied: &[PathBuf],
    folders: &BTreeMap<PathBuf, BTreeMap<String, Entry>>,
) -> Vec<Grant> {
    let mut grants = Vec::new();
    for root in allowed {
        open(root, allowed, denied, folders, &mut grants);
    }
    grants.sort();
    grants.dedup();
    grants
}

/// Whether a path lies in one of `roots`, or is one.
pub(super) fn lies_in(path: &Path, roots: &[PathBuf]) -> bool {
    roots.iter().any(|root| path.starts_with(root))
}

fn open(
    path: &Path,
    allowed: &[PathBuf],
    denied: &[PathBuf],
    folders: &BTreeMap<PathBuf, BTreeMap<String, Entry>>,
    grants: &mut Vec<Grant>,
) {
    if lies_in(path, denied) {
        return;
    }
    // What does not exist needs no opening up: no listing was made on the way to it.
    let inside = denied.iter().any(|denied| denied.starts_with(path)) && folders.contains_key(path);
    if !inside {
        grants.push(Grant {
            path: path.to_owned(),
            names: false,
        });
        return;
    }
    grants.push(Grant {
        path: path.to_owned(),
        names: true,
    });
    for (name, entry) in folders.get(path).into_iter().flatten() {
        let below = path.join(name);
        match entry {
            Entry::Folder | Entry::File => open(&below, allowed, denied, folders, grants),
            // The link by its name, if what it leads to is allowed anyway.
            Entry::Link(target) => {
                let reached = lies_in(target, allowed)
                    && !lies_in(target, denied)
                    && !denied.iter().any(|denied| denied.starts_with(target));
                if reached && !lies_in(&below, denied) {
                    grants.push(Grant {
                        path: below,
                        names: false,
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> BTreeMap<PathBuf, BTreeMap<String, Entry>> {
        let folder = |entries: &[(&str, Entry)]| {
            entries
                .iter()
                .map(|(name, entry)| ((*name).to_owned(), entry.clone()))
                .collect()
        };
        [
            (
                PathBuf::from("/p"),
                folder(&[
                    (".env", Entry::File),
                    ("a", Entry::Folder),
                    ("b", Entry::Folder),
                    ("c.js", Entry::File),
                    ("in", Entry::Link("/p/a".into())),
                    ("out", Entry::Link("/etc".into())),
                    ("sly", Entry::Link("/p/.env".into())),
                    ("above", Entry::Link("/p/b".into())),
                ]),
            ),
            (
                PathBuf::from("/p/b"),
                folder(&[("secret", Entry::Folder), ("open", Entry::File)]),
            ),
        ]
        .into()
    }

    #[test]
    fn everything_but_the_denied_is_left_and_no_link_leads_to_it() {
        let denied = ["/p/.env", "/p/b/secret", "/p/none"].map(PathBuf::from);
        let grants = without(&["/p".into()], &denied, &tree());
        let whole: Vec<_> = grants
            .iter()
            .filter(|grant| !grant.names)
            .map(|grant| grant.path.to_str().unwrap())
            .collect();
        let names: Vec<_> = grants
            .iter()
            .filter(|grant| grant.names)
            .map(|grant| grant.path.to_str().unwrap())
            .collect();
        assert_eq!(whole, ["/p/a", "/p/b/open", "/p/c.js", "/p/in"]);
        assert_eq!(names, ["/p", "/p/b"]);
    }

    #[test]
    fn a_denied_root_and_all_below_it_are_gone() {
        assert_eq!(
            without(&["/p/a".into(), "/p".into()], &["/p".into()], &tree()),
            []
        );
        let whole = without(&["/q".into()], &["/p".into()], &tree());
        assert_eq!(
            whole,
            [Grant {
                path: "/q".into(),
                names: false
            }]
        );
    }
}
