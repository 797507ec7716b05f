//! What a task may import when imports are allowed: its project, the workspace around it, and what is installed for them.
//!
//! 1. From each start (working directory, the tasks' modules, this package) upwards: the nearest folder with a manifest is the project; the
//!    highest that declares a workspace is the workspace; every `node_modules` above is searched by resolution, and every `package.json` read.
//! 2. Links in those `node_modules` (workspaces, `npm link`, pnpm's store) are followed, and the `node_modules` that a target lies in likewise,
//!    until nothing new is found.
//!
//! Neither the root of the file system nor a home folder counts as a project.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Entry, folders};

const MANIFESTS: [&str; 4] = ["package.json", "deno.json", "deno.jsonc", "jsr.json"];
const WORKSPACES: [&str; 4] = ["pnpm-workspace.yaml", "lerna.json", "nx.json", "rush.json"];
/// Links beyond this are not followed: their packages cannot be imported.
const MOST_LINKS: usize = 20_000;

/// The folders and files that imports need, without those that lie in others.
pub(super) fn imports(starts: &[PathBuf], home: Option<&Path>) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut installed = Vec::new();
    for start in starts {
        upwards(start, home, &mut found, &mut installed);
    }
    follow(installed, &mut found);
    outermost(found)
}

fn upwards(
    start: &Path,
    home: Option<&Path>,
    found: &mut BTreeSet<PathBuf>,
    installed: &mut Vec<PathBuf>,
) {
    let mut project = None;
    let mut workspace = None;
    for folder in start.ancestors().filter(|folder| folder.is_dir()) {
        let modules = folder.join("node_modules");
        if modules.is_dir() && folder.file_name().is_none_or(|name| name != "node_modules") {
            installed.push(modules);
        }
        for manifest in MANIFESTS.map(|name| folder.join(name)) {
            if manifest.is_file() {
                found.insert(manifest);
            }
        }
        if folder.parent().is_none() || home == Some(folder) {
            continue;
        }
        if project.is_none() && MANIFESTS.iter().any(|name| folder.join(name).is_file()) {
            project = Some(folder);
        }
        if declares_workspace(folder) {
            workspace = Some(folder);
        }
    }
    found.extend(project.map(Path::to_owned));
    found.extend(workspace.map(Path::to_owned));
}

fn declares_workspace(folder: &Path) -> bool {
    if WORKSPACES.iter().any(|name| folder.join(name).is_file()) {
        return true;
    }
    // `workspaces` in package.json (npm, yarn, bun), `workspace` in deno.json.
    MANIFESTS.iter().any(|name| {
        std::fs::read(folder.join(name))
            .ok()
            .and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok())
            .is_some_and(|value| {
                value
                    .get("workspaces")
                    .or_else(|| value.get("workspace"))
                    .is_some_and(|w| w.is_array() || w.is_object())
            })
    })
}

/// Follows the links of package folders to where the packages really lie.
fn follow(mut installed: Vec<PathBuf>, found: &mut BTreeSet<PathBuf>) {
    let mut seen = BTreeSet::new();
    let mut links = 0;
    while let Some(modules) = installed.pop() {
        let Ok(modules) = std::fs::canonicalize(modules) else {
            continue;
        };
        if !seen.insert(modules.clone()) {
            continue;
        }
        found.insert(modules.clone());
        let mut packages = Vec::new();
        for (name, entry) in folders::list(&modules) {
            match entry {
                Entry::Link(target) => packages.push(target),
                Entry::Folder if name.starts_with('@') => {
                    packages.extend(
                        folders::list(&modules.join(&name))
                            .into_values()
                            .filter_map(|entry| match entry {
                                Entry::Link(target) => Some(target),
                                Entry::Folder | Entry::File => None,
                            }),
                    );
                }
                Entry::Folder | Entry::File => {}
            }
        }
        for target in packages {
            links += 1;
            if links > MOST_LINKS {
                return;
            }
            installed.extend(
                target
                    .ancestors()
                    .skip(1)
                    .find(|above| above.ends_with("node_modules"))
                    .map(Path::to_owned),
            );
            // Dependencies of its own.
            installed.extend(Some(target.join("node_modules")).filter(|inner| inner.is_dir()));
            found.insert(target);
        }
    }
}

/// Without the paths that lie in another one.
pub(super) fn outermost(paths: BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let mut kept: BTreeSet<PathBuf> = BTreeSet::new();
    // In order, a folder comes before what lies in it.
    for path in paths {
        if !path.ancestors().skip(1).any(|above| kept.contains(above)) {
            kept.insert(path);
        }
    }
    kept
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, write};
    use std::os::unix::fs::symlink;

    fn root() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = std::fs::canonicalize(folder.path()).unwrap();
        (folder, path)
    }

    fn reaches(imports: &BTreeSet<PathBuf>, path: &Path) -> bool {
        let real = std::fs::canonicalize(path).unwrap();
        imports.iter().any(|root| real.starts_with(root))
    }

    #[test]
    fn a_hoisted_monorepo_reaches_the_packages_of_its_root_and_its_siblings() {
        let (_keep, root) = root();
        create_dir_all(root.join("repo/packages/app/src")).unwrap();
        create_dir_all(root.join("repo/packages/lib")).unwrap();
        create_dir_all(root.join("repo/node_modules/dep")).unwrap();
        create_dir_all(root.join("other")).unwrap();
        write(
            root.join("repo/package.json"),
            r#"{"workspaces":["packages/*"]}"#,
        )
        .unwrap();
        write(root.join("repo/packages/app/package.json"), "{}").unwrap();
        write(root.join("repo/packages/lib/index.js"), "").unwrap();
        symlink(
            root.join("repo/packages/lib"),
            root.join("repo/node_modules/lib"),
        )
        .unwrap();
        let found = imports(&[root.join("repo/packages/app/src")], None);
        for path in [
            "repo/node_modules/dep",
            "repo/node_modules/lib/index.js",
            "repo/packages/app/src",
            "repo/package.json",
        ] {
            assert!(reaches(&found, &root.join(path)), "{path} in {found:?}");
        }
        assert!(!reaches(&found, &root.join("other")));
    }

    #[test]
    fn a_linked_package_is_reached_with_what_is_installed_beside_it() {
        let (_keep, root) = root();
        create_dir_all(root.join("app/node_modules/@scope")).unwrap();
        create_dir_all(root.join("linked/node_modules/inner")).unwrap();
        write(root.join("app/package.json"), "{}").unwrap();
        symlink(
            root.join("linked"),
            root.join("app/node_modules/@scope/linked"),
        )
        .unwrap();
        let found = imports(&[root.join("app")], None);
        assert!(reaches(&found, &root.join("linked/node_modules/inner")));
        assert!(!reaches(&found, &root));
    }

    #[test]
    fn pnpm_stores_are_followed_from_package_to_package() {
        let (_keep, root) = root();
        // A store outside the project, as with a global virtual store: a -> b, both under `<hash>/node_modules`.
        create_dir_all(root.join("app/node_modules")).unwrap();
        create_dir_all(root.join("store/a/1/node_modules/a")).unwrap();
        create_dir_all(root.join("store/b/1/node_modules/b")).unwrap();
        create_dir_all(root.join("store/c/1/node_modules/c")).unwrap();
        write(root.join("app/package.json"), "{}").unwrap();
        symlink(
            root.join("store/a/1/node_modules/a"),
            root.join("app/node_modules/a"),
        )
        .unwrap();
        symlink(
            root.join("store/b/1/node_modules/b"),
            root.join("store/a/1/node_modules/b"),
        )
        .unwrap();
        let found = imports(&[root.join("app")], None);
        assert!(reaches(&found, &root.join("store/a/1/node_modules/a")));
        assert!(reaches(&found, &root.join("store/b/1/node_modules/b")));
        assert!(!reaches(&found, &root.join("store/c/1/node_modules/c")));
    }

    #[test]
    fn a_home_folder_is_no_project() {
        let (_keep, root) = root();
        create_dir_all(root.join("home/work")).unwrap();
        write(root.join("home/package.json"), "{}").unwrap();
        write(root.join("home/diary"), "").unwrap();
        let found = imports(&[root.join("home/work")], Some(&root.join("home")));
        assert!(!reaches(&found, &root.join("home/diary")));
        assert!(reaches(&found, &root.join("home/package.json")));
    }
}
