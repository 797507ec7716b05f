//! The default, with real runtimes: wherever the project and the package are installed, a task runs, and sees no more than it should.
#![cfg(target_os = "linux")]

#[path = "support/field.rs"]
mod field;

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use field::{finish, installed};
use knit_perm::plan::Key;
use knit_perm::{Facts, Kind, Policy, Prepared, Runtime, Target, Version, kernel, plan};

/// A task's module that uses a dependency and a package of the workspace; prints what it got of each, of a secret, and of what it wrote.
const TASK: &str = r#"
import dependency from "dependency";
import sibling from "sibling";
import fs from "node:fs";
import { createRequire } from "node:module";
const said = [dependency, sibling, createRequire(import.meta.url)("dependency/data.json").data];
for (const path of ["OUTSIDE/private.txt", ".env", "HOME/.ssh/id"]) {
  try { said.push(fs.readFileSync(path, "utf8")) } catch (error) { said.push("denied") }
}
fs.writeFileSync("sub-result.txt", "written");
said.push(fs.existsSync("sub-result.txt"), process.env.TOKEN ?? "no token", fs.readFileSync(new URL("./beside.txt", import.meta.url), "utf8"));
console.log(said.join(" "));
"#;

struct Layout {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Layout {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        let layout = Self {
            _folder: folder,
            root,
        };
        layout.put("private.txt", "private");
        layout.put("home/.ssh/id", "private");
        layout
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn package(&self, folder: &str, name: &str) {
        self.put(&format!("{folder}/package.json"), &format!(r#"{{"name":"{name}","version":"1.0.0","type":"module","exports":{{".":"./index.js","./data.json":"./data.json"}}}}"#));
        self.put(
            &format!("{folder}/index.js"),
            &format!("export default {name:?};"),
        );
        self.put(&format!("{folder}/data.json"), r#"{"data":"data"}"#);
    }

    fn project(&self, folder: &str) {
        self.put(&format!("{folder}/package.json"), r#"{"name":"app","type":"module","dependencies":{"dependency":"1.0.0","sibling":"1.0.0"}}"#);
        let task = TASK
            .replace("OUTSIDE", self.root.to_str().unwrap())
            .replace("HOME", self.root.join("home").to_str().unwrap());
        self.put(&format!("{folder}/src/task.mjs"), &task);
        self.put(&format!("{folder}/src/beside.txt"), "beside");
        self.put(&format!("{folder}/.env"), "private");
    }

    fn link(&self, target: &str, at: &str) {
        let at = self.root.join(at);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(self.root.join(target), at).unwrap();
    }

    /// Runs the task as a worker process of the default policy would, from `cwd`.
    fn check(&self, cwd: &str, task: &str) {
        for (runtime, version, program) in runtimes() {
            let mut env: BTreeMap<String, String> = std::env::vars().collect();
            env.insert("HOME".into(), self.root.join("home").display().to_string());
            env.insert("TOKEN".into(), "private".into());
            let mut target = Target::new(runtime, Version(version, 0), Kind::Process);
            target.executable = Some(program.clone());
            let task = self.root.join(task);
            target.modules = vec![task.clone()];
            let mut policy = Policy::strict();
            policy.cwd = Some(self.root.join(cwd).display().to_string());
            let ability = kernel(&env);
            let facts = Facts::gather(&policy, &target, env, ability).unwrap();
            let plan = plan(&policy, &target, &facts).unwrap();
            assert!(
                plan.weaker.is_empty()
                    && plan.keys[&Key::Read]
                        .by
                        .contains(&knit_perm::plan::Enforcer::Kernel)
            );
            let mut command = Command::new(&program);
            Prepared::new(&plan, &[])
                .unwrap()
                .unwrap()
                .sandbox(&mut command);
            let (_, out, err) = finish(command.args(&plan.flags).arg(&task));
            assert_eq!(
                out.trim(),
                "dependency sibling data denied denied denied true no token beside",
                "{runtime:?} {cwd}\n{err}"
            );
            std::fs::remove_file(self.root.join(cwd).join("sub-result.txt")).unwrap();
            assert!(!Path::new(&self.root.join(cwd).join("deno.lock")).exists());
        }
    }
}

fn runtimes() -> Vec<(Runtime, u32, PathBuf)> {
    let all = [
        (Runtime::Node, 22, "node22/bin/node"),
        (Runtime::Node, 24, "node24/bin/node"),
        (Runtime::Node, 26, "node26/bin/node"),
        (Runtime::Deno, 2, "deno/deno"),
        (Runtime::Bun, 1, "bun/bin/bun.exe"),
    ];
    all.into_iter()
        .filter_map(|(runtime, version, path)| Some((runtime, version, installed(path)?)))
        .collect()
}

#[test]
fn a_plain_project() {
    let layout = Layout::new();
    layout.project("app");
    layout.package("app/node_modules/dependency", "dependency");
    layout.package("app/node_modules/sibling", "sibling");
    layout.check("app", "app/src/task.mjs");
}

#[test]
fn a_hoisted_monorepo_from_one_of_its_packages() {
    let layout = Layout::new();
    layout.put(
        "repo/package.json",
        r#"{"name":"repo","private":true,"workspaces":["packages/*"]}"#,
    );
    layout.project("repo/packages/app");
    layout.package("repo/packages/sibling", "sibling");
    layout.package("repo/node_modules/dependency", "dependency");
    layout.link("repo/packages/sibling", "repo/node_modules/sibling");
    layout.link("repo/packages/app", "repo/node_modules/app");
    layout.check("repo/packages/app", "repo/packages/app/src/task.mjs");
}

#[test]
fn packages_that_are_linked_from_elsewhere() {
    let layout = Layout::new();
    layout.project("app");
    layout.package("elsewhere/sibling", "sibling");
    layout.package("app/node_modules/dependency", "dependency");
    layout.link("elsewhere/sibling", "app/node_modules/sibling");
    layout.check("app", "app/src/task.mjs");
}

#[test]
fn a_pnpm_layout() {
    let layout = Layout::new();
    layout.project("app");
    layout.package(
        "app/node_modules/.pnpm/dependency@1.0.0/node_modules/dependency",
        "dependency",
    );
    layout.package(
        "app/node_modules/.pnpm/sibling@1.0.0/node_modules/sibling",
        "sibling",
    );
    layout.link(
        "app/node_modules/.pnpm/dependency@1.0.0/node_modules/dependency",
        "app/node_modules/dependency",
    );
    layout.link(
        "app/node_modules/.pnpm/sibling@1.0.0/node_modules/sibling",
        "app/node_modules/sibling",
    );
    layout.check("app", "app/src/task.mjs");
}

#[test]
fn a_working_directory_away_from_the_tasks_and_reached_through_a_link() {
    let layout = Layout::new();
    layout.project("app");
    layout.package("app/node_modules/dependency", "dependency");
    layout.package("app/node_modules/sibling", "sibling");
    layout.put("work/data/.env", "private");
    layout.link("work/data", "way");
    layout.check("way", "app/src/task.mjs");
}
