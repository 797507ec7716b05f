/**
 * On Deno a pool touches nothing of Node's: its first touch costs each thread and process more than all the rest of its start. Nor does loading the package make an error:
 * the first one of a thread takes five milliseconds.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { runtime, skip } from "../pool/support.ts";

const sources = new URL("../../ts/", import.meta.url);
/** Entries that only Node.js loads. */
const NODES_OWN = ["runtime/source-node.ts"];

test("no module imports one of Node's, but where only Node.js loads it", () => {
  const files = (readdirSync(sources, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts"));
  assert.ok(files.length > 50, "the sources are there");
  const importing = files.filter((name) => /^import (?!type )[^;]*"node:/m.test(readFileSync(new URL(name, sources), "utf8")));
  assert.deepEqual(importing, NODES_OWN);
});

test("loading the package makes no error", { timeout: 120_000 }, async () => {
  const program = fileURLToPath(new URL("../fixtures/errors-at-load.ts", import.meta.url));
  const args = runtime === "deno" ? ["run", "--no-check", "-A", program] : [program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  assert.deepEqual(JSON.parse(stdout), ["KnitError: counted"]);
});

interface DenoCommands {
  readonly Command: new (program: string, options: { args: string[] }) => { output(): Promise<{ stdout: Uint8Array; stderr: Uint8Array }> };
}

test("Deno makes no process in host or worker before a task touches it, and then it is guarded", { timeout: 120_000 }, async (t) => {
  if (runtime !== "deno") return skip(t, "others have a process anyway");
  const { Command } = (globalThis as unknown as { Deno: DenoCommands }).Deno;
  const program = fileURLToPath(new URL("../fixtures/late-process.ts", import.meta.url));
  const { stdout, stderr } = await new Command(process.execPath, { args: ["run", "--no-check", "-A", program] }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
  assert.notEqual(out, "", err);
  assert.deepEqual(JSON.parse(out), [
    { worker: [false, false], host: false, touch: "ExitInWorkerError", after: true },
    { worker: [false, false], host: false, touch: "ExitInWorkerError", after: true },
    { load: "ExitInWorkerError", after: true, shared: 7 },
  ]);
});
