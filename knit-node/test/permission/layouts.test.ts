/**
 * The default, wherever project and package are installed: hoisted in a workspace, linked from elsewhere (`npm link`), in pnpm's store in the project
 * and outside of it. The built package lies there as an installer puts it, and a program of the project's own makes the pools.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";

import { GUARD_MS, runtime, skip } from "../pool/support.ts";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const NAME = "@vixeny/knitting";
const SECRET = "a secret of the host";

/** The project's tasks: they use what is installed, and try what is not theirs. */
const TASKS = `
import { task } from "${NAME}";
import dependency from "dependency";
import sibling from "sibling";
import fs from "node:fs";
import { createRequire } from "node:module";

export const uses = task({
  f: () => [dependency, sibling, createRequire(import.meta.url)("dependency/data.json").data, fs.readFileSync(new URL("./beside.txt", import.meta.url), "utf8")],
});
export const read = task({ f: (path) => fs.readFileSync(path, "utf8") });
export const readLater = task({ f: (path) => fs.promises.readFile(path, "utf8") });
export const write = task({ f: (path) => fs.writeFileSync(path, "written") });
export const writeLater = task({ f: (path) => fs.promises.writeFile(path, "written") });
export const list = task({ f: (path) => fs.readdirSync(path).join(" ") });
export const variable = task({ f: (name) => process.env[name] });
`;

/** The project's program. Its argument: what to read and to write, as JSON. Prints for each kind of worker what came of it. */
const MAIN = `
import { PermissionDeniedError, createPool } from "${NAME}";
import * as tasks from "./tasks.mjs";

const { kinds, secrets, places, folders, own, unheld } = JSON.parse(process.argv[2]);
const said = {};
const said_of = async (call) => {
  try { return { got: String(await call) } } catch (error) {
    return error instanceof PermissionDeniedError ? { denied: error.permission } : { error: String(error) };
  }
};
for (const kind of kinds) {
  const pool = createPool({ worker: { runtime: kind } })(tasks);
  const { call } = pool;
  const result = { uses: await call.uses(), denied: {}, weaker: pool.permissions().weaker.map(({ key }) => key), caveats: pool.permissions().keys.read.caveats.map(({ id }) => id) };
  for (const name of ["read", "readLater"]) for (const path of secrets) result.denied[name + " " + path] = await said_of(call[name](path));
  for (const name of ["write", "writeLater"]) for (const path of kind === unheld ? [] : places) result.denied[name + " " + path] = await said_of(call[name](path));
  result.listed = await Promise.all(folders.map(async (path) => "got" in (await said_of(call.list(path)))));
  result.variable = await said_of(call.variable("TOKEN"));
  await call.write(own);
  result.own = await call.read(own);
  await pool.shutdown();
  said[kind] = result;
}
console.log(JSON.stringify(said));
`;

class Layout {
  readonly root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "knit-layout-")));

  put(path: string, text: string): void {
    fs.mkdirSync(dirname(join(this.root, path)), { recursive: true });
    fs.writeFileSync(join(this.root, path), text);
  }

  /** A link as installers make it: relative. */
  link(target: string, at: string): void {
    fs.mkdirSync(dirname(join(this.root, at)), { recursive: true });
    fs.symlinkSync(relative(dirname(join(this.root, at)), join(this.root, target)), join(this.root, at));
  }

  /** This package, as it is published. */
  knitting(folder: string): void {
    const manifest = JSON.parse(fs.readFileSync(join(PACKAGE, "package.json"), "utf8")) as { files: string[] };
    for (const name of ["package.json", ...manifest.files]) {
      assert.ok(fs.existsSync(join(PACKAGE, name)), `there is no ${name}: run \`cargo xtask build\``);
      fs.cpSync(join(PACKAGE, name), join(this.root, folder, name), { recursive: true });
    }
  }

  installed(folder: string, name: string, code = `export default ${JSON.stringify(name)};`): void {
    const manifest = { name, version: "1.0.0", type: "module", exports: { ".": "./index.js", "./data.json": "./data.json" } };
    this.put(`${folder}/package.json`, JSON.stringify(manifest));
    this.put(`${folder}/index.js`, code);
    this.put(`${folder}/data.json`, '{"data":"data"}');
  }

  project(folder: string): void {
    this.put(`${folder}/package.json`, JSON.stringify({ name: "app", type: "module", dependencies: { [NAME]: "*", dependency: "1.0.0", sibling: "1.0.0" } }));
    this.put(`${folder}/src/tasks.mjs`, TASKS);
    this.put(`${folder}/src/main.mjs`, MAIN);
    this.put(`${folder}/src/beside.txt`, "beside");
    this.put(`${folder}/out/.keep`, "");
    this.put(`${folder}/.env`, SECRET);
    this.put("private.txt", SECRET);
    this.put("home/.ssh/id", SECRET);
  }

  remove(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }
}

const LAYOUTS: Readonly<Record<string, { readonly app: string; readonly secrets?: readonly string[]; readonly places?: readonly string[]; readonly folders?: readonly string[]; make(layout: Layout): void }>> = {
  "a workspace whose packages are hoisted to its root": {
    app: "repo/packages/app",
    secrets: ["repo/.env", "repo/packages/sibling/.env.local"],
    // What is shared by all packages is read, and not written.
    places: ["repo/new", "repo/node_modules/dependency/index.js", "repo/packages/sibling/index.js"],
    make(layout) {
      layout.put("repo/package.json", '{"name":"repo","private":true,"workspaces":["packages/*"]}');
      layout.put("repo/.env", SECRET);
      layout.project("repo/packages/app");
      layout.installed("repo/packages/sibling", "sibling");
      layout.put("repo/packages/sibling/.env.local", SECRET);
      layout.knitting(`repo/node_modules/${NAME}`);
      layout.installed("repo/node_modules/dependency", "dependency");
      layout.link("repo/packages/sibling", "repo/node_modules/sibling");
      layout.link("repo/packages/app", "repo/node_modules/app");
    },
  },
  "packages of a folder above that declares no workspace": {
    app: "above/app",
    folders: ["above"],
    secrets: ["above/private.txt", "above/beside/.env"],
    places: ["above/new", "above/node_modules/dependency/index.js"],
    make(layout) {
      layout.project("above/app");
      layout.put("above/private.txt", SECRET);
      layout.put("above/beside/.env", SECRET);
      layout.knitting(`above/node_modules/${NAME}`);
      layout.installed("above/node_modules/dependency", "dependency");
      layout.installed("above/node_modules/sibling", "sibling");
    },
  },
  "packages that are linked from elsewhere, this one too": {
    app: "app",
    secrets: ["elsewhere/sibling/.env", "elsewhere/private.txt"],
    places: ["elsewhere/sibling/index.js", "elsewhere/knitting/package.json"],
    make(layout) {
      layout.project("app");
      layout.knitting("elsewhere/knitting");
      layout.installed("elsewhere/sibling", "sibling");
      layout.put("elsewhere/sibling/.env", SECRET);
      layout.put("elsewhere/private.txt", SECRET);
      layout.installed("app/node_modules/dependency", "dependency");
      layout.link("elsewhere/knitting", `app/node_modules/${NAME}`);
      layout.link("elsewhere/sibling", "app/node_modules/sibling");
    },
  },
  "pnpm's store in the project": {
    app: "app",
    make: (layout) => pnpm(layout, "app/node_modules/.pnpm"),
  },
  "pnpm's store outside of the project": {
    app: "app",
    secrets: ["store/private.txt"],
    folders: ["store/dependency@1.0.0"],
    places: ["store/new", "store/dependency@1.0.0/node_modules/dependency/index.js"],
    make(layout) {
      pnpm(layout, "store");
      layout.put("store/private.txt", SECRET);
    },
  },
};

/** Each package beside what it depends on, and links to those of the project. */
function pnpm(layout: Layout, store: string): void {
  layout.project("app");
  const place = (name: string): string => `${store}/${name.replace("/", "+")}@1.0.0/node_modules/${name}`;
  layout.knitting(place(NAME));
  layout.installed(place("inner"), "inner", 'export default "dependency";');
  layout.installed(place("dependency"), "dependency", 'export { default } from "inner";');
  layout.link(place("inner"), place("dependency").replace(/dependency$/, "inner"));
  layout.installed(place("sibling"), "sibling");
  for (const name of [NAME, "dependency", "sibling"]) layout.link(place(name), `app/node_modules/${name}`);
}

interface Said {
  readonly got?: string;
  readonly denied?: string;
  readonly error?: string;
}

interface Result {
  readonly uses: readonly string[];
  readonly denied: Readonly<Record<string, Said>>;
  readonly variable: Said;
  readonly own: string;
  readonly weaker: readonly string[];
  readonly listed: readonly boolean[];
  readonly caveats: readonly string[];
}

async function run(layout: Layout, app: string, order: object): Promise<Readonly<Record<string, Result>>> {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const flags = runtime === "deno" ? ["run", "-A", "--no-check", "--no-lock", "--unstable-worker-options"] : [];
  const child = spawn(process.execPath, [...flags, "src/main.mjs", JSON.stringify(order)], {
    cwd: join(layout.root, app),
    env: { ...env, HOME: join(layout.root, "home"), TOKEN: SECRET },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), GUARD_MS);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  assert.equal(code, 0, `${out}\n${err}`);
  return JSON.parse(out.trim().split("\n").at(-1) ?? "") as Record<string, Result>;
}

for (const [name, { app, secrets = [], places = [], folders = [], make }] of Object.entries(LAYOUTS)) {
  test(`the default lets tasks work, and no more, in ${name}`, { timeout: 2 * GUARD_MS }, async (t) => {
    if (process.platform !== "linux") return skip(t, "the sandbox is for Linux");
    const layout = new Layout();
    try {
      make(layout);
      const all = (paths: readonly string[]): string[] => paths.map((path) => join(layout.root, path));
      const order = {
        kinds: ["thread", "process"],
        // Nobody holds Bun's threads, and they say so: what they must not write would be written.
        unheld: runtime === "bun" ? "thread" : null,
        secrets: all([...secrets, "private.txt", "home/.ssh/id", `${app}/.env`]),
        places: all([...places, "new", "home/new"]),
        folders: all(folders),
        // Beside the denied .env a thread could not read what is new.
        own: join(layout.root, app, "out/own.txt"),
      };
      const said = await run(layout, app, order);
      for (const [kind, { uses, denied, variable, own, weaker, listed, caveats }] of Object.entries(said)) {
        assert.deepEqual(uses, ["dependency", "sibling", "data", "beside"], kind);
        assert.equal(own, "written", kind);
        if (kind === order.unheld) {
          assert.deepEqual(["read", "write"].filter((key) => !weaker.includes(key)), []);
          continue;
        }
        assert.deepEqual(weaker, [], kind);
        // Bun would not find the packages without seeing names around them, and says so.
        const seen = listed.length > 0 && runtime === "bun";
        assert.deepEqual(listed, listed.map(() => seen), kind);
        assert.equal(caveats.includes("names-around-packages"), seen, kind);
        assert.ok(variable.got === "undefined" || variable.denied === "env", JSON.stringify(variable));
        const wrong = Object.entries(denied).filter(([what, { denied }]) => denied !== "read" && !(what.startsWith("write") && denied === "write"));
        assert.deepEqual(wrong, [], kind);
      }
      for (const path of order.places) assert.ok(!fs.existsSync(path) || fs.readFileSync(path, "utf8") !== "written", path);
    } finally {
      layout.remove();
    }
  });
}
