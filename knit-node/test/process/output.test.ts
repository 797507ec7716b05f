/**
 * What worker processes print arrives: all of it, in order, in whole lines, however slowly it is read.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import assert from "node:assert/strict";

import { LINES, WIDTH } from "../fixtures/output.ts";
import { skip } from "../pool/support.ts";
import { cannotRun } from "./support.ts";

const script = fileURLToPath(new URL("../fixtures/output.ts", import.meta.url));

/** What the host and its workers print, to somebody who begins to read late. */
function heard(stream: string, runtime: string): string[] {
  const flags = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const late = '"$0" "$@" 2>&1 | (sleep 1; cat)';
  const { stdout, stderr } = spawnSync("sh", ["-c", late, process.execPath, ...flags, script, stream, runtime], { encoding: "utf8", env, maxBuffer: 1 << 26 });
  assert.equal(stderr, "");
  const lines = stdout.split("\n");
  assert.equal(lines.pop(), "");
  return lines;
}

/** Checks that each worker's lines are there, whole and in order. */
function complete(lines: readonly string[]): void {
  for (const name of ["a", "b"]) {
    const whole = lines.filter((line) => line.startsWith(`${name} `) && line.endsWith(` ${"x".repeat(WIDTH)}`));
    const numbers = whole.map((line) => Number(line.split(" ")[1]));
    assert.deepEqual(numbers, Array.from({ length: LINES }, (_, n) => n), name);
  }
}

for (const runtime of ["node", "deno", "bun"]) {
  test(`what workers on ${runtime} print comes before what their host prints after their answers, and is all there`, (t) => {
    const why = cannotRun("sh", "-c", "true") ?? cannotRun(runtime, "--version");
    if (why !== null) return skip(t, why);
    const lines = heard("stdout", runtime);
    complete(lines);
    assert.ok(lines.indexOf("before") < lines.findIndex((line) => /^[ab] /.test(line)));
    assert.equal(lines.at(-1), "after");
  });

  test(`lines that workers on ${runtime} write to standard error do not mix, and are all there`, (t) => {
    const why = cannotRun("sh", "-c", "true") ?? cannotRun(runtime, "--version");
    if (why !== null) return skip(t, why);
    complete(heard("stderr", runtime));
  });
}
