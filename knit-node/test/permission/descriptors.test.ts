/**
 * A thread adds what it may read to its rules one path at a time: a host needs no descriptor for each.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import type { PoolOptions } from "../../ts/index.ts";
import type { Outcome } from "../fixtures/limits.ts";
import { cannotRun } from "../process/support.ts";
import { runtime, skip } from "../pool/support.ts";

const script = fileURLToPath(new URL("../fixtures/limits.ts", import.meta.url));
const FLAGS = { node: ["--expose-gc"], deno: ["run", "-A", "--no-check", "--unstable-worker-options"], bun: [] };

/** What comes of a pool of threads in a host that may open so many descriptors. */
function run(most: number, options: PoolOptions): Outcome {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout, stderr } = spawnSync("prlimit", [`--nofile=${most}`, process.execPath, ...FLAGS[runtime], script, "once", JSON.stringify(options)], { encoding: "utf8", env });
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout) as Outcome;
}

test("threads with a hundred paths start where the host may open fewer descriptors", { timeout: 120_000 }, (t: TestContext) => {
  if (runtime === "bun") return skip(t, "its threads cannot be held");
  const why = cannotRun("prlimit", "--nofile=80", "true");
  if (why !== null) return skip(t, why);
  const folder = mkdtempSync(join(tmpdir(), "knit-descriptors-"));
  try {
    const read = Array.from({ length: 100 }, (_, i) => join(folder, String(i)));
    for (const each of read) mkdirSync(each);
    const outcome = run(80, { threads: 2, worker: { runtime: "thread" }, permission: { read } });
    assert.equal(outcome.answer, 42, JSON.stringify(outcome));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
