/**
 * maxQueue bounds the calls that wait for a worker; stats() tells what a pool has done.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { OptionError, QueueFullError, createPool } from "../../ts/index.ts";
import { double } from "../fixtures/basic.ts";
import { dies } from "../fixtures/dying.ts";
import { Gate, holds } from "../fixtures/held.ts";
import { throws } from "../fixtures/thrown.ts";
import { waits } from "../fixtures/control/timed.ts";
import { where } from "../fixtures/control/inlined.ts";
import { kind } from "../fixtures/kind.ts";
import { reason, within, withPool } from "./support.ts";

const tasks = { double, dies, throws, holds, waits, where };

function full(error: unknown): void {
  assert.ok(error instanceof QueueFullError, String(error));
  assert.equal(error.code, "KNT_QUEUE_FULL");
  assert.match(error.message, /maxQueue/);
}

test("calls beyond maxQueue reject, and those within it are answered", () =>
  withPool({ maxQueue: 100 }, tasks, async (pool) => {
    const { call } = pool;
    for (let round = 0; round < 5; round++) {
      const gate = new Gate();
      const stuck = call.holds(gate.shared);
      await gate.taken();
      const all = Array.from({ length: 300 }, (_, i) => call.double(i).then((value) => ({ i, value }), full));
      gate.open();
      const outcomes = await within(Promise.all(all), "calls of a full queue");
      const answered = outcomes.flatMap((outcome) => outcome ?? []);
      assert.equal(answered.length, 100);
      for (const { i, value } of answered) assert.equal(value, i * 2);
      assert.equal(await stuck, "let go");
      assert.equal(await call.double(round), round * 2);
    }
  }));

test("calls that wait before any worker is up count", () =>
  withPool({ threads: 2, maxQueue: 3 }, tasks, async ({ call }) => {
    const outcomes = await Promise.all(Array.from({ length: 5 }, (_, i) => call.double(i).catch(full)));
    assert.deepEqual(outcomes, [0, 2, 4, undefined, undefined]);
  }));

test("a queue that is emptied takes as many again, also after aborts, timeouts and deaths", () =>
  withPool({ maxQueue: 10 }, tasks, async (pool) => {
    const { call } = pool;
    for (let round = 0; round < 4; round++) {
      const gate = new Gate();
      const stuck = call.holds(gate.shared);
      await gate.taken();
      const controller = new AbortController();
      const aborted = Array.from({ length: 10 }, () => reason(call.double(1, { signal: controller.signal })));
      full(await reason(call.double(1)));
      controller.abort("gone");
      assert.deepEqual(new Set(await Promise.all(aborted)), new Set(["gone"]));
      const fresh = Array.from({ length: 10 }, (_, i) => call.double(i));
      full(await reason(call.double(1)));
      gate.open();
      assert.deepEqual(await Promise.all(fresh), Array.from({ length: 10 }, (_, i) => i * 2));
      assert.equal(await stuck, "let go");
      await reason(call.dies("now"));
    }
  }));

test("as many calls as one likes, awaited as they are answered, pass a small queue", () =>
  withPool({ threads: 2, maxQueue: 4 }, tasks, async ({ call }) => {
    for (let i = 0; i < 2000; i++) assert.equal(await call.double(i), i * 2);
  }));

test("a limit that is none is an error", () => {
  for (const maxQueue of [0, -1, 1.5, "5", NaN, null]) {
    assert.throws(() => createPool({ maxQueue } as never), (error) => error instanceof OptionError && /maxQueue/.test(error.message));
  }
});

test("stats() counts calls and their ends, for the pool and for each worker", async () => {
  const pool = createPool(kind({ threads: 2 }))(tasks);
  const { call } = pool;
  let completed = 0;
  try {
    const fresh = pool.stats();
    assert.deepEqual([fresh.submitted, fresh.completed, fresh.failed, fresh.respawns, fresh.workers.length], [0, 0, 0, 0, 2]);
    await Promise.all(Array.from({ length: 1000 }, (_, i) => call.double(i)));
    for (let i = 0; i < 10; i++) await reason(call.throws("a string"));
    await call.waits({ ms: 60, way: "block" });
    await call.double(1);
    const done = pool.stats();
    assert.deepEqual([done.submitted, done.completed, done.failed, done.queued, done.running, done.inlined], [1012, 1002, 10, 0, 0, 0]);
    const sum = (key: "completed" | "failed" | "bytesIn" | "bytesOut"): number => done.workers.reduce((total, worker) => total + worker[key], 0);
    assert.deepEqual([sum("completed"), sum("failed"), sum("bytesIn"), sum("bytesOut")], [1002, 10, done.bytesIn, done.bytesOut]);
    assert.ok(done.bytesIn > 8000 && done.bytesOut > 8000);
    for (const { p50, p99, max } of [done.runTime, done.waitTime]) assert.ok(p50 >= 0 && p50 <= p99 && p99 <= max * 1.02, `${p50} ${p99} ${max}`);
    // How long a turn took is known at that worker's next.
    const measured = async (): Promise<void> => {
      while (pool.stats().runTime.max < 55) await call.double(1);
    };
    await within(measured(), "the time of a call of 60 ms");
    assert.ok(pool.stats().runTime.p50 < 55);
    await reason(call.dies("now"));
    await call.double(1);
    const after = pool.stats();
    assert.deepEqual([after.respawns, after.failed], [1, 11]);
    completed = after.completed;
  } finally {
    await pool.shutdown();
  }
  assert.equal(pool.stats().completed, completed);
});

test("stats() sees what waits and what runs, and calls that ran on the host", () =>
  withPool({ inliner: { position: "first", batchSize: 3 } }, tasks, async ({ call, ...pool }) => {
    const places = await Promise.all(Array.from({ length: 8 }, () => call.where(1)));
    assert.equal(pool.stats().inlined, places.filter((place) => place === "host").length);
    const signal = new AbortController().signal;
    const gate = new Gate();
    const stuck = call.holds(gate.shared, { signal });
    const waiting = Array.from({ length: 20 }, () => call.double(1, { signal }));
    await gate.taken();
    const now = pool.stats();
    assert.deepEqual([now.running, now.queued], [1, 20]);
    gate.open();
    await Promise.all([stuck, ...waiting]);
  }));
