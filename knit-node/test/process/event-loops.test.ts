/**
 * Node's event loops are rung by other processes directly, and let go of that when their environments end.
 */
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import assert from "node:assert/strict";

import { createPool } from "../../ts/index.ts";
import { pid } from "../fixtures/process.ts";
import { eventually, sleep, within } from "../pool/support.ts";
import { processes } from "./support.ts";

const skip = "Deno" in globalThis || "Bun" in globalThis ? "this runtime's loop polls no descriptor of ours: a thread rings it" : false;

const CALLS = 20;

/** How often the threads of a process that ring its event loop have woken. */
async function wakes(pid: number): Promise<number> {
  const tasks = `/proc/${pid}/task`;
  const name = (task: string): string => {
    try {
      return readFileSync(`${tasks}/${task}/comm`, "utf8");
    } catch {
      return "ended meanwhile";
    }
  };
  const find = (): string[] => readdirSync(tasks).filter((task) => name(task) === "knit-relay\n");
  // It has its name when it has run for the first time.
  assert.equal(await eventually(1, () => find().length), 1);
  const relays = find();
  return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readFileSync(`${tasks}/${relays[0]}/status`, "utf8"))![1]);
}

test("no thread stands between Node's event loops", { skip }, async () => {
  const pool = createPool(processes({}, { threads: 1, permission: "unsafe" }))({ pid });
  try {
    const worker = await within(pool.call.pid(), "the first call");
    const before = (await wakes(process.pid)) + (await wakes(worker));
    for (let i = 0; i < CALLS; i++) {
      // Long enough for both to sleep.
      await sleep(20);
      assert.equal(await within(pool.call.pid(), "a call between sleepers"), worker);
    }
    // One that stood between would have woken for each call. They may have been on the way to their first sleep.
    const woken = (await wakes(process.pid)) + (await wakes(worker)) - before;
    assert.ok(woken < CALLS / 2, `${woken} times for ${CALLS} calls`);
  } finally {
    await pool.shutdown();
  }
});

for (const end of ["shuts down", "exits", "is terminated"]) {
  test(`a worker thread of the user's that has a pool of processes ${end}`, { skip }, async () => {
    const worker = new Worker(new URL("../fixtures/host-in-worker.ts", import.meta.url), { workerData: end });
    const ended = once(worker, "exit");
    const [answer] = (await within(once(worker, "message"), "its answer")) as [number];
    assert.equal(answer, 42);
    if (end === "is terminated") await worker.terminate();
    const [code] = (await within(ended, "its end")) as [number];
    assert.equal(code, end === "is terminated" ? 1 : 0);
  });
}
