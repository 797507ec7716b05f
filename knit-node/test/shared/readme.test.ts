/**
 * The READMEs' example of shared memory does what it says.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const source = new URL("../../ts/shared-memory/process-shared-buffer.ts", import.meta.url).href;

function example(readme: string): string {
  const text = readFileSync(new URL(readme, import.meta.url), "utf8");
  const section = text.slice(text.indexOf("### Shared memory"));
  const block = /```js\n([^]*?)```/.exec(section);
  assert.ok(block, `${readme} has an example`);
  return block[1];
}

test("the example of shared memory runs, and is the same in both READMEs", () => {
  const code = example("../../README.md");
  assert.equal(code, example("../../../README.md"));
  const folder = mkdtempSync(join(tmpdir(), "knit-readme-"));
  try {
    const file = join(folder, "example.mjs");
    const name = `kt-readme-${process.pid.toString(36)}`;
    const check = `
import assert from "node:assert/strict";
assert.throws(() => Atomics.load(counters, 0), TypeError);
assert.throws(() => ProcessSharedBuffer.open("${name}"), { code: "SHM_NAME_MISSING" });
console.log("as promised");
`;
    writeFileSync(file, code.replace(/"@vixeny[^"]*"/, JSON.stringify(source)).replaceAll("my-counters", name) + check);
    const run = "Deno" in globalThis ? ["run", "-A"] : [];
    const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, [...run, file], { encoding: "utf8", env });
    assert.deepEqual({ status, stdout }, { status: 0, stdout: "as promised\n" }, stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
