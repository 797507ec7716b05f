/**
 * What worker processes, Bun's threads, and threads with permissions on Node.js, import under the package's name: all of it but what makes pools, which comes when it is needed. Of the
 * package as it is installed.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import * as whole from "../../ts/index.ts";
import * as half from "../../ts/worker-index.ts";
import { runInstalled } from "../pool/installed.ts";
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

const PROCESS = { permission: "unsafe", worker: { runtime: "process" } };

/** What the program above prints with these options. */
function run(options: object, ...flags: string[]): Promise<unknown[]> {
  return runInstalled({ "program.js": PROGRAM(options) }, "program.js", flags) as Promise<unknown[]>;
}

/** What a worker has loaded: that index, and not the whole. Only Bun tells the latter. */
function loadsOnly(index: string, resolved: unknown, loaded: unknown): void {
  assert.equal((resolved as string).split("/").at(-1), index);
  if (runtime !== "bun") return;
  const names = loaded as string[];
  assert.ok(names.includes(index) && !names.includes("index.js"), names.join());
}

test("what workers import is all of the package, under the same names", () => {
  assert.deepEqual(Object.keys(half).sort(), Object.keys(whole).sort());
  const { createPool: _, ...same } = half;
  for (const [name, value] of Object.entries(same)) assert.equal(value, whole[name as keyof typeof whole], name);
});

test("a worker process does not load what makes pools, and is refused one", async () => {
  const [resolved, refused, misspelt, alone, loaded] = await run(PROCESS);
  loadsOnly("worker-index.js", resolved, loaded);
  assert.equal(refused, "KNT_POOL_IN_WORKER");
  assert.match(misspelt as string, /did you mean "threads"/);
  assert.equal(alone, "KNT_POOL_IN_WORKER");
});

test("nor does a thread, on Node.js one with permissions", async (t) => {
  if (runtime === "deno") return skip(t, "its threads take no conditions, and it has none of its own");
  const [resolved, refused, misspelt, alone, loaded] = await run({});
  loadsOnly(runtime === "bun" ? "bun-index.js" : "worker-index.js", resolved, loaded);
  assert.deepEqual([refused, alone], ["KNT_POOL_IN_WORKER", "KNT_POOL_IN_WORKER"]);
  assert.match(misspelt as string, /did you mean "threads"/);
});

test("a program that is started with a worker's flags has pools", async () => {
  const [resolved] = await run(PROCESS, "--conditions=knit-worker");
  assert.match(resolved as string, /worker-index\.js$/);
});

test("so has a thread of the user's", async (t) => {
  if (runtime === "node") return skip(t, "it has no web workers");
  const files = {
    "tasks.js": `import { task } from "@vixeny/knitting"; export const double = task({ f: (x) => x * 2 });`,
    "thread.js": `
      import { createPool } from "@vixeny/knitting";
      import { double } from "./tasks.js";
      const pool = createPool({ permission: "unsafe" })({ double });
      postMessage(await pool.call.double(21));
      await pool.shutdown();
    `,
    "program.js": `
      const thread = new Worker(new URL("./thread.js", import.meta.url), { type: "module" });
      thread.onmessage = ({ data }) => { console.log(JSON.stringify(data)); thread.terminate(); };
    `,
  };
  assert.equal(await runInstalled(files, "program.js"), 42);
});

test("and one that requires it", async (t) => {
  if (runtime === "deno") return skip(t, "require is of no use to its programs");
  const program = `
    const { createPool, isMain, task } = require("@vixeny/knitting");
    exports.double = task({ f: (x) => x * 2 });
    if (isMain) {
      const pool = createPool({ permission: "unsafe" })({ double: exports.double });
      pool.call.double(21).then((value) => { console.log(JSON.stringify(value)); return pool.shutdown(); });
    }
  `;
  assert.equal(await runInstalled({ "program.cjs": program }, "program.cjs"), 42);
});

test("a bundle that has taken the package in says what is wrong, and runs nothing else", async (t) => {
  if (runtime !== "bun") return skip(t, "only Bun's bundler takes what is Bun's");
  const files = {
    "source.js": `
      import { createPool } from "@vixeny/knitting";
      try { createPool({})({ sqrt: Math.sqrt }); } catch (error) { console.log(JSON.stringify(error.code)); }
    `,
    "out/index.js": "throw new Error('somebody else\'s');",
    "out/program.js": `
      await Bun.build({ entrypoints: ["../source.js"], target: "bun", outdir: ".", naming: "bundle.js" });
      await import("./bundle.js");
    `,
  };
  assert.equal(await runInstalled(files, "out/program.js"), "KNT_NO_ENGINE");
});
