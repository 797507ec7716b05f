/**
 * hardTimeoutMs ends and replaces a worker that one call occupies for too long; every other call goes on.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { HardTimeoutError, OptionError, WorkerCrashedError, createPool } from "../../ts/index.ts";
import type { Pool } from "../../ts/index.ts";
import { busy, double, whoAmI } from "../fixtures/basic.ts";
import { holdsWithDefault } from "../fixtures/control/timed.ts";
import { loopsForever, loopsLater, neverSettles, picky, sleeps } from "../fixtures/control/stuck.ts";
import { Gate, waitsFor } from "../fixtures/held.ts";
import { kind } from "../fixtures/kind.ts";
import { eventually, reason, script, sleep, within, withPool } from "./support.ts";

/** What no call here takes that ends by itself, though its thread may have to wait for a processor in the midst of it. */
const LIMIT_MS = 1500;

const tasks = { loopsForever, loopsLater, neverSettles, picky, sleeps, busy, waitsFor, double, whoAmI, holdsWithDefault };
type Call = (shared: Gate["shared"]) => Promise<unknown>;

function overrun(error: unknown): void {
  assert.ok(error instanceof HardTimeoutError, String(error));
  assert.equal(error.code, "KNT_HARD_TIMEOUT");
  assert.match(error.message, /1500 ms/);
}

/** Uses a pool with that limit, and a gate that is open in the end. */
function withLimit(threads: number, use: (pool: Pool<typeof tasks>, gate: Gate) => Promise<void>): Promise<void> {
  const gate = new Gate();
  return withPool({ threads, worker: { hardTimeoutMs: LIMIT_MS } }, tasks, (pool) => use(pool, gate)).finally(() => gate.open());
}

test("a task that only waits too long loses nobody else's call in the same worker", () =>
  withPool({ worker: { hardTimeoutMs: 4000 } }, tasks, async ({ call, stats }) => {
    await call.double(1);
    const late = reason(call.neverSettles());
    // Their own time is over that much later.
    await sleep(2000);
    const gate = new Gate();
    const beside = Array.from({ length: 10 }, () => call.waitsFor(gate.shared));
    assert.equal(await eventually(11, () => stats().running), 11);
    const error = await within(late, "a call that waits too long");
    assert.ok(error instanceof HardTimeoutError && error.message.includes("4000 ms"), String(error));
    gate.open();
    const threads = new Set(await within(Promise.all(beside), "calls beside it"));
    assert.equal(threads.size, 1);
    const replaced = async (): Promise<void> => {
      while (threads.has(await call.whoAmI()));
    };
    await within(replaced(), "another worker");
  }));

for (const name of ["loopsForever", "neverSettles", "loopsLater"] as const) {
  for (const threads of [1, 2]) {
    test(`a call that ${name} rejects with HardTimeoutError, and its worker is replaced, ${threads} threads`, () =>
      withLimit(threads, async ({ call }, gate) => {
        for (let round = 0; round < 2; round++) {
          const before = new Set(await Promise.all(Array.from({ length: 20 }, () => call.whoAmI())));
          overrun(await within(reason((call[name] as Call)(gate.shared)), `a call that ${name}`));
          assert.deepEqual(await within(Promise.all([1, 2, 3].map((n) => call.double(n))), "calls after it"), [2, 4, 6]);
          // The old one may still end what it had begun.
          const replaced = async (): Promise<void> => {
            while (threads === 1 && before.has(await call.whoAmI()));
          };
          await within(replaced(), "another worker");
        }
      }));
  }
}

test("every other call goes on: those before it, behind it, and beside it", () =>
  withLimit(2, async ({ call }, gate) => {
    for (let round = 0; round < 3; round++) {
      const all = await within(Promise.all(Array.from({ length: 1000 }, (_, i) => (i === 500 ? reason(call.picky(gate.shared)) : call.picky(i)))), "a thousand calls");
      all.forEach((value, i) => (i === 500 ? overrun(value) : assert.equal(value, i * 2)));
    }
  }));

test("a call that ends with a worker that another call has occupied says so", () =>
  withLimit(1, async ({ call }, gate) => {
    await call.double(1);
    const beside = reason(call.sleeps(10_000));
    overrun(await within(reason(call.loopsForever(gate.shared)), "a call that loops"));
    const error = await within(beside, "a call beside it");
    assert.ok(error instanceof WorkerCrashedError || error instanceof HardTimeoutError, String(error));
    assert.match(error.message, /hardTimeoutMs/);
  }));

test("a call that was answered by its timeout frees its worker, too", () =>
  withLimit(1, async ({ call }, gate) => {
    await call.double(1);
    assert.deepEqual(await call.holdsWithDefault(gate.shared), { fallback: [1] });
    assert.equal(await within(call.double(2), "a call behind one that is stuck"), 4);
  }));

test("calls that keep within the limit know nothing of it", () =>
  withPool({ threads: 2, worker: { hardTimeoutMs: 10_000 } }, tasks, async ({ call, stats }) => {
    const all = [...Array.from({ length: 10 }, () => call.busy(20)), ...Array.from({ length: 20 }, () => call.sleeps(50)), ...Array.from({ length: 500 }, (_, i) => call.double(i))];
    assert.equal((await Promise.all(all)).length, 530);
    assert.equal(stats().respawns, 0);
  }));

test("a pool with it is shut down as any other, also while a worker is stuck", async () => {
  const pool = createPool(kind({ threads: 2, worker: { hardTimeoutMs: 60_000 } }))(tasks);
  await pool.call.double(1);
  const gate = new Gate();
  const open = [reason(pool.call.loopsForever(gate.shared)), reason(pool.call.neverSettles())];
  await within(pool.shutdown(), "shutdown()");
  gate.open();
  for (const error of await Promise.all(open)) assert.equal((error as { code: string }).code, "KNT_POOL_CLOSED");
});

test("a limit that is none is an error", () => {
  for (const hardTimeoutMs of [0, -1, NaN, "5", null]) {
    assert.throws(() => createPool({ worker: { hardTimeoutMs } } as never), (error) => error instanceof OptionError && /hardTimeoutMs/.test(error.message));
  }
});

test("the pool can be shut down in the continuation of a call that overran", async () => {
  const { code, out, err } = await script("overrun.ts");
  assert.deepEqual({ code, out }, { code: 0, out: "closed\n" }, err);
});
