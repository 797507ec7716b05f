/**
 * Workers that start slowly, or never: nobody waits for them without being told, and nothing else suffers from it.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { PoolClosedError, TaskTimeoutError, createPool } from "../../ts/index.ts";
import { abortable, fallsBack, timed, unreachable } from "../fixtures/broken/stays.ts";
import { kind } from "../fixtures/kind.ts";
import { reason, script, within } from "./support.ts";

test("calls that wait for a start for more than ten seconds: that is told once, with what is loaded, and they are answered", async () => {
  const { code, out, err } = await script("slow-start.ts", ["calls wait"]);
  assert.deepEqual({ code, out }, { code: 0, out: "42 8\n" });
  assert.match(err, /^knitting: workers 0, 1 do not serve yet, 10 s after calls began to wait for that, and 1 call is open: .*\(file:\/\/.*\/broken\/slow\.ts\)\?\n$/);
});

test("calls that come when a start takes long already are told of, too", async () => {
  const { code, out, err } = await script("slow-start.ts", ["calls come later"]);
  assert.deepEqual({ code, out }, { code: 0, out: "KNT_POOL_CLOSED\n" });
  assert.match(err, /^knitting: worker 0 does not serve yet, 10 s after calls began to wait for that, and 1 call is open: .*\/broken\/stays\.ts\)\?\n$/);
});

test("a pool without calls whose worker never starts keeps no process alive, and nothing is told", async () => {
  const { code, out, err } = await script("slow-start.ts", ["no calls"]);
  assert.deepEqual({ code, out, err }, { code: 0, out: "made\n", err: "" });
});

for (const hardTimeoutMs of [undefined, 100]) {
  test(`calls of a worker that never starts end as they are asked to, ${hardTimeoutMs === undefined ? "without" : "with"} hardTimeoutMs`, async () => {
    const pool = createPool(kind({ worker: hardTimeoutMs === undefined ? {} : { hardTimeoutMs } }))({ unreachable, timed, fallsBack, abortable });
    const { call } = pool;
    const patient = call.unreachable();
    try {
      assert.ok((await within(reason(call.timed()), "a call with a timeout")) instanceof TaskTimeoutError);
      assert.equal(await within(call.fallsBack(), "a call with a default"), "default");
      const why = new Error("not needed");
      const open = call.abortable();
      open.reject(why);
      assert.equal(await within(reason(open), "a call that is rejected"), why);
      const controller = new AbortController();
      const signalled = call.unreachable(undefined, { signal: controller.signal });
      controller.abort(why);
      assert.equal(await within(reason(signalled), "a call whose signal is aborted"), why);
      const { queued, running } = pool.stats();
      assert.deepEqual({ queued, running }, { queued: 1, running: 0 });
    } finally {
      const rejected = reason(patient);
      await within(pool.shutdown(), "shutdown()");
      assert.ok((await rejected) instanceof PoolClosedError);
    }
  });
}
