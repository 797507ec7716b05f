/**
 * On Node.js with `--permission` a pool needs leave to load the package's library and to start threads, and says which flag gives it.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import type { PoolOptions } from "../../ts/index.ts";
import type { Outcome } from "../fixtures/node-permissions.ts";
import { runtime, script, skip } from "../pool/support.ts";

const THREADS: PoolOptions = { worker: { runtime: "thread" } };
const PROCESSES: PoolOptions = { worker: { runtime: "process" } };
const READ = ["--permission", `--allow-fs-read=${fileURLToPath(new URL("../..", import.meta.url))}`];

/** What comes of a pool of a host with these flags. */
async function run(flags: readonly string[], options: PoolOptions, ...way: string[]): Promise<Outcome> {
  const { out, err } = await script("node-permissions.ts", [JSON.stringify(options), ...way], [...READ, ...flags]);
  assert.notEqual(out, "", err);
  return JSON.parse(out) as Outcome;
}

function check(name: string, body: () => Promise<void>): void {
  test(name, { timeout: 120_000 }, (t: TestContext) => (runtime === "node" ? body() : skip(t, "others have no such flags")));
}

function startError({ name, code, message, cause }: Outcome, flag: string): void {
  assert.deepEqual({ name, code, cause }, { name: "WorkerStartError", code: "KNT_WORKER_START", cause: "ERR_ACCESS_DENIED" }, String(message));
  assert.match(message ?? "", new RegExp(`add ${flag} where it runs with --permission`));
}

for (const permission of ["strict", "unsafe"] as const) {
  check(`leave to start threads lacks, permission: "${permission}"`, async () => {
    startError(await run(["--allow-addons"], { ...THREADS, permission }), "--allow-worker");
    // A plain function is looked for first, and its calls reject.
    startError(await run(["--allow-addons"], { ...THREADS, permission }, "plain"), "--allow-worker");
    assert.deepEqual(await run(["--allow-addons", "--allow-worker"], { ...THREADS, permission }), { answer: 42 });
  });

  check(`processes of the host's own runtime need no leave, permission: "${permission}"`, async () => {
    assert.deepEqual(await run(["--allow-addons"], { ...PROCESSES, permission }), { answer: 42 });
  });
}

check("leave to load the library lacks", async () => {
  for (const options of [THREADS, PROCESSES]) {
    const { name, code, message, cause } = await run(["--allow-worker", "--allow-child-process"], options);
    assert.deepEqual({ name, code, cause }, { name: "KnitError", code: "KNT_NO_ENGINE", cause: "ERR_DLOPEN_DISABLED" }, String(message));
    assert.match(message ?? "", /add --allow-addons where it runs with --permission/);
  }
});

check("leave to start programs lacks, and another runtime must be asked for its version", async () => {
  const options: PoolOptions = { worker: { runtime: "process", processRuntime: "bun" } };
  startError(await run(["--allow-addons"], options), "--allow-child-process");
  // Whether there is one or not, it has been looked for.
  const { message = "" } = await run(["--allow-addons", "--allow-child-process"], options);
  assert.doesNotMatch(message, /--permission/);
});

check("restricted threads do not keep a host from files that it alone may read", async () => {
  const folder = mkdtempSync(join(tmpdir(), "knit-own-"));
  try {
    const file = join(folder, "own");
    writeFileSync(file, "the host's");
    assert.deepEqual(await run(["--allow-addons", "--allow-worker", `--allow-fs-read=${file}`], THREADS, "own", file), { answer: 42, own: "the host's" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
