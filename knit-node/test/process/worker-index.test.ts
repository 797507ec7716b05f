/**
 * What worker processes, Bun's threads, and threads with permissions on Node.js, import under the package's name: all of it but what makes pools, which comes when it is needed. Of the
 * package as it is installed.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import * as whole from "../../ts/index.ts";
import * as half from "../../ts/worker-index.ts";
import { runtime, skip } from "../pool/support.ts";

const PROGRAM = (options: object): string => `
import { createRequire } from "node:module";
import { basename } from "node:path";
import { createPool, isMain, task } from "@vixeny/knitting";

export const resolved = task({ f: () => import.meta.resolve("@vixeny/knitting") });
const reason = (promise) => promise.then(() => "none", (error) => error.code);
export const refused = task({ f: () => reason(createPool({})({ resolved }).call.resolved()) });
export const misspelt = task({ f: () => { try { createPool({ thread: 1 }); } catch (error) { return error.message; } } });
export const alone = task({ f: () => reason(resolved.createPool().call()) });
// Bun's: the others do not tell.
export const loaded = task({ f: () => Object.keys(createRequire(import.meta.url).cache).map((path) => basename(path)) });

if (isMain) {
  const pool = createPool(${JSON.stringify({ threads: 1, ...options })})({ resolved, refused, misspelt, alone, loaded });
  const call = pool.call;
  console.log(JSON.stringify([await call.resolved(), await call.refused(), await call.misspelt(), await call.alone(), await call.loaded()]));
  await pool.shutdown();
}
`;

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const flags = "Deno" in globalThis ? ["run", "--allow-all", "--no-check"] : [];

const PROCESS = { permission: "unsafe", worker: { runtime: "process" } };

/** What the program above prints with these options, run where the package is installed. */
async function run(options: object, ...more: string[]): Promise<unknown[]> {
  const home = mkdtempSync(join(tmpdir(), "knit-installed-"));
  try {
    const place = join(home, "node_modules/@vixeny/knitting");
    mkdirSync(place, { recursive: true });
    for (const part of ["package.json", "dist"]) cpSync(join(PACKAGE, part), join(place, part), { recursive: true });
    symlinkSync(join(PACKAGE, "lib"), join(place, "lib"));
    writeFileSync(join(home, "package.json"), JSON.stringify({ type: "module", dependencies: { "@vixeny/knitting": "*" } }));
    const program = join(home, "program.js");
    writeFileSync(program, PROGRAM(options));
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...more, program], { cwd: home });
    return JSON.parse(stdout) as unknown[];
  } finally {
    rmSync(home, { recursive: true });
  }
}

test("worker processes import what they need under the package's name", () => {
  assert.deepEqual(Object.keys(half).sort(), Object.keys(whole).sort());
  const { createPool: _, ...same } = half;
  for (const [name, value] of Object.entries(same)) assert.equal(value, whole[name as keyof typeof whole], name);
});

test("a worker process does not load what makes pools, and is refused one", async () => {
  const [resolved, refused, misspelt, alone] = await run(PROCESS);
  assert.match(resolved as string, /worker-index\.js$/);
  assert.equal(refused, "KNT_POOL_IN_WORKER");
  assert.match(misspelt as string, /did you mean "threads"/);
  assert.equal(alone, "KNT_POOL_IN_WORKER");
});

test("nor does a thread, on Node.js one with permissions", async (t) => {
  if (runtime === "deno") return skip(t, "its threads take no conditions, and it has none of its own");
  const [resolved, refused, misspelt, alone, loaded] = await run({});
  if (runtime === "bun") {
    assert.ok((loaded as string[]).includes("worker-index.js"));
    assert.ok(!(loaded as string[]).includes("index.js"));
  }
  assert.match(resolved as string, /worker-index\.js$/);
  assert.deepEqual([refused, alone], ["KNT_POOL_IN_WORKER", "KNT_POOL_IN_WORKER"]);
  assert.match(misspelt as string, /did you mean "threads"/);
});

test("a program that is started with a worker's flags has pools", async () => {
  const [resolved] = await run(PROCESS, "--conditions=knit-worker");
  assert.match(resolved as string, /worker-index\.js$/);
});
