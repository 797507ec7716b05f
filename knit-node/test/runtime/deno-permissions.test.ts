/**
 * On Deno the package needs leave to load its one library and to read what workers load, and says so exactly.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { runtime, skip } from "../pool/support.ts";

const program = fileURLToPath(new URL("../fixtures/few-permissions.ts", import.meta.url));

interface DenoCommands {
  readonly Command: new (program: string, options: { args: string[] }) => { output(): Promise<{ stdout: Uint8Array; stderr: Uint8Array }> };
}

/** What the program prints with these permissions and nobody to ask. Not by `node:child_process`, which gives a Deno that it starts all permissions. */
async function run(...permissions: string[]): Promise<Record<string, unknown>> {
  const { Command } = (globalThis as unknown as { Deno: DenoCommands }).Deno;
  const { stdout, stderr } = await new Command(process.execPath, { args: ["run", "--no-check", "--no-prompt", ...permissions, program] }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
  assert.notEqual(out, "", err);
  return JSON.parse(out) as Record<string, unknown>;
}

/** The flag that a message advises. */
function advised({ message }: Record<string, unknown>): string {
  const flag = /run with (--allow-\S+)$/.exec(String(message))?.[1];
  assert.ok(flag !== undefined, String(message));
  return flag;
}

test("each missing permission is named with the flag that gives it, and with these two all works", { timeout: 120_000 }, async (t) => {
  if (runtime !== "deno") return skip(t, "only Deno asks");
  const none = await run();
  assert.deepEqual([none["name"], none["code"]], ["KnitError", "KNT_NO_ENGINE"]);
  const ffi = advised(none);
  assert.match(ffi, /^--allow-ffi=\/.*knit-node\.[^/]*\.node$/, "one file");
  const library = await run(ffi);
  assert.deepEqual([library["name"], library["code"]], ["WorkerStartError", "KNT_WORKER_START"]);
  const read = advised(library);
  assert.match(read, /^--allow-read=/);
  assert.deepEqual(await run(ffi, read), { sum: 999_000, large: [1_000_000, 7], death: "WorkerCrashedError", after: 8 });
  // And with the right to any address, which takes another way.
  assert.equal((await run("--allow-ffi", read))["sum"], 999_000);
});
