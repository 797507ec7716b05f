/**
 * A host's death, however it comes, ends its worker processes.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import assert from "node:assert/strict";

import { within } from "../pool/support.ts";
import { LONG_MS, endsWithin, lives } from "./support.ts";

const script = fileURLToPath(new URL("../fixtures/process.ts", import.meta.url));

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  test(`workers of a host that dies of ${signal} end, one of them stuck`, async () => {
    const run = "Deno" in globalThis ? ["run", "-A"] : [];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const host = spawn(process.execPath, [...run, script, "host"], { env, stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await within(once(host.stdout, "data"), "the host's workers")) as [Buffer];
    const workers = JSON.parse(line.toString()) as number[];
    assert.equal(workers.length, 3);
    assert.ok(workers.every(lives));
    const ended = once(host, "exit");
    host.kill(signal);
    await within(ended, "the host's end");
    for (const worker of workers) assert.ok(await endsWithin(worker, LONG_MS), `worker ${worker} lives`);
  });
}
