/**
 * debug says on standard error what happens, one line each; without it nothing is said.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { script } from "./support.ts";

const TOPICS = ["host", "globals", "imports", "lifecycle"];

/** The topics of the lines, sorted, each once; every line must be one of the pool's. */
async function topics(debug: unknown, environment: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const { code, out, err } = await script("control/debugged.ts", [JSON.stringify(debug)], [], environment);
  assert.deepEqual({ code, out }, { code: 0, out: "done\n" }, err);
  const lines = err === "" ? [] : err.trimEnd().split("\n");
  const seen = lines.map((line) => {
    const found = /^\[knitting:(\w+)\] pool 1 .+$/.exec(line);
    assert.ok(found !== null, `not a line of the pool: ${line}`);
    return found[1]!;
  });
  return [...new Set(seen)].sort();
}

test("nothing is said unless asked for", async () => {
  assert.deepEqual(await topics(null), []);
  assert.deepEqual(await topics(false), []);
  assert.deepEqual(await topics({}), []);
});

test("true says everything, an object what it names", async () => {
  assert.deepEqual(await topics(true), [...TOPICS].sort());
  assert.deepEqual(await topics({ lifecycle: true, globals: true, host: false }), ["globals", "lifecycle"]);
});

test("KNITTING_DEBUG does the same, unless the option is given", async () => {
  assert.deepEqual(await topics(null, { KNITTING_DEBUG: "1" }), [...TOPICS].sort());
  assert.deepEqual(await topics(null, { KNITTING_DEBUG: "imports,host" }), ["host", "imports"]);
  assert.deepEqual(await topics(null, { KNITTING_DEBUG: "0" }), []);
  assert.deepEqual(await topics(false, { KNITTING_DEBUG: "1" }), []);
});

test("the lines tell of modules, refused exits, and a worker's life", async () => {
  const { err } = await script("control/debugged.ts", ["true"]);
  assert.match(err, /\[knitting:imports\] pool 1 worker 0 imported .*basic\.ts in [\d.]+ ms/);
  assert.match(err, /\[knitting:globals\] pool 1 worker 0 refused process\.exit\(\)/);
  assert.match(err, /\[knitting:lifecycle\] pool 1 worker 0 serves after [\d.]+ ms/);
  assert.match(err, /\[knitting:host\] pool 1 is shut down/);
});
