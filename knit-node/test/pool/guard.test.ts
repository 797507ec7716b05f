/**
 * A pool used inside a worker is an error that explains the guard: when it is used, not at import.
 */
import { once } from "node:events";
import { test } from "node:test";
import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";

import { OptionError, isMain } from "../../ts/index.ts";
import { thread } from "../fixtures/basic.ts";
import { badOptions, ends, makes, uses } from "../fixtures/inside.ts";
import { reason, script, within, withPool } from "./support.ts";

test("isMain is true where the user started, and false in a worker", () =>
  withPool({}, { makes }, async ({ call }) => {
    assert.equal(isMain, true);
    assert.deepEqual(await call.makes(), { isMain: false, keys: ["double"] });
  }));

test("a pool used in a task rejects, and says how to guard", () =>
  withPool({}, { uses, ends, badOptions }, async ({ call }) => {
    const error = (await reason(call.uses())) as Error & { code: string };
    assert.equal(error.code, "KNT_POOL_IN_WORKER");
    assert.match(error.message, /if \(isMain\)/);
    await call.ends();
    assert.ok(!((await reason(call.badOptions())) instanceof TypeError));
  }));

test("an error of this package arrives from a worker as its class", () =>
  withPool({}, { badOptions }, async ({ call }) => {
    const error = await reason(call.badOptions());
    assert.ok(error instanceof OptionError, String(error));
    assert.match(error.message, /"threads"/);
  }));

test("a pool made without the guard and used behind one works", async () => {
  const { code, out, err } = await script("guarded.ts");
  assert.deepEqual({ code, out }, { code: 0, out: "true worker\n" }, err);
});

test("a script that uses its pool without the guard ends, and says how to guard", async () => {
  for (const how of ["awaited", "unawaited"]) {
    const { signal, out, err } = await script("unguarded.ts", [], [], { KNIT_TEST_HOW: how });
    assert.match(out + err, /if \(isMain\)/, `${how}: ${out} ${err}`);
    assert.equal(signal, null, how);
  }
});

test("a script that handles the refusal of its own workers is answered", async () => {
  const { code, out, err } = await script("unguarded.ts", [], [], { KNIT_TEST_HOW: "handled" });
  assert.equal(code, 0, err);
  assert.match(out, /^answer 1$/m);
  assert.match(out, /refused PoolInWorkerError KNT_POOL_IN_WORKER .*if \(isMain\)/);
});

test("a worker thread of the user's own may have a pool", async () => {
  const worker = new Worker(new URL("../fixtures/own-worker.ts", import.meta.url));
  // At once: on a busy machine Node delivers the message only when the thread has ended, and both in one turn.
  const ended = once(worker, "exit");
  const [message] = (await within(once(worker, "message"), "a pool in a worker thread")) as [{ isMain: boolean; right: boolean; worker: number; own: number }];
  assert.deepEqual({ isMain: message.isMain, right: message.right }, { isMain: false, right: true });
  assert.equal(new Set([message.worker, message.own, thread]).size, 3);
  const [code] = (await within(ended, "the end of that thread")) as [number];
  assert.equal(code, 0);
});

test("a worker thread that is ended with a pool in use takes its pool with it", async () => {
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(new URL("../fixtures/own-worker.ts", import.meta.url));
    await within(once(worker, "online"), "a worker thread");
    await new Promise((resolve) => setTimeout(resolve, 40 * round));
    await within(worker.terminate(), "terminate()");
  }
});
