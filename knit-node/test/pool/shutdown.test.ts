/**
 * shutdown() ends everything once: open calls reject, workers have really ended when it resolves.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { PoolClosedError, createPool } from "../../ts/index.ts";
import { busy, double, echo, forever, sleepy } from "../fixtures/basic.ts";
import { kind } from "../fixtures/kind.ts";
import { workerThreads as threads } from "../fixtures/threads.ts";
import { eventually, reason, runtime, script, skip, sleep, within } from "./support.ts";

function closed(error: unknown): void {
  assert.ok(error instanceof PoolClosedError, String(error));
  assert.equal(error.code, "KNT_POOL_CLOSED");
}

/** Node has joined its threads by then; the others' are on their last steps outside JavaScript. */
async function assertThreads(most: number, what: string): Promise<void> {
  const few = (): boolean => threads() <= most;
  assert.ok(runtime === "node" ? few() : await eventually(true, few), `${what}: ${threads()} threads, not ${most}`);
}

test("shutdown() is idempotent: the same promise, however often and late", async () => {
  const pool = createPool(kind())({ double });
  assert.equal(await pool.call.double(1), 2);
  const first = pool.shutdown();
  assert.equal(pool.shutdown(), first);
  await first;
  assert.equal(pool.shutdown(5), first);
  await pool[Symbol.asyncDispose]();
  pool[Symbol.dispose]();
});

test("memory and descriptors are gone when shutdown() resolves, not when the collector comes", async (t) => {
  if (process.platform !== "linux") return skip(t, "only Linux shows them");
  const { code, out, err } = await script("left-at-once.ts");
  assert.equal(code, 0, err);
  const { during, after } = JSON.parse(out) as Record<"during" | "after", { mappings: number; descriptors: number }[]>;
  for (const { mappings, descriptors } of during) assert.ok(mappings > 0 && descriptors > 0, "a living pool has them");
  const none = { mappings: 0, descriptors: 0 };
  assert.deepEqual(after, [none, none, none]);
});

test("open calls reject with PoolClosedError, whatever they wait for, and so do later ones", async () => {
  const pool = createPool(kind({ threads: 2 }))({ sleepy, busy, double, echo, forever });
  await pool.call.double(1);
  let resolve!: (n: number) => void;
  const open = [
    pool.call.sleepy(10_000),
    pool.call.forever(),
    pool.call.busy(10_000),
    ...Array.from({ length: 50_000 }, (_, i) => pool.call.double(i)),
    pool.call.echo(new Uint8Array(3_000_000)),
    pool.call.double(new Promise<number>((settle) => (resolve = settle))),
  ].map((promise) => promise.then(() => "answered", (error: unknown) => error));
  const ended = pool.shutdown();
  const late = reason(pool.call.double(2));
  resolve(1);
  const outcomes = await within(Promise.all(open), "open calls of a pool that was shut down");
  outcomes.slice(0, 3).forEach(closed);
  // The small ones may have been answered just before.
  outcomes.slice(3, -1).filter((outcome) => outcome !== "answered").forEach(closed);
  closed(outcomes.at(-1));
  closed(await late);
  await within(ended, "shutdown()");
  closed(await reason(pool.call.double(3)));
});

/** Deno cannot end a thread that does not return to its event loop. */
const STARTS = ["at once", "when idle", ...(runtime === "deno" ? [] : ["while stuck"])];

test(`workers have really ended when shutdown() resolves: ${STARTS.join(", ")}`, async () => {
  await createPool(kind())({ double }).shutdown();
  const before = threads();
  for (const start of STARTS) {
    const pool = createPool(kind({ threads: 4 }))({ double, forever });
    if (start !== "at once") await Promise.all(Array.from({ length: 100 }, (_, i) => pool.call.double(i)));
    if (start === "while stuck") {
      for (let i = 0; i < 4; i++) void reason(pool.call.forever());
      await sleep(50);
    }
    await within(pool.shutdown(), `shutdown() ${start}`);
    await assertThreads(before, start);
  }
});

test("a worker that is stuck where the runtime cannot end it is given up: shutdown() resolves, says so, and the process ends", async (t) => {
  if (runtime !== "deno") return skip(t, "this runtime ends threads that are stuck");
  const { code, out, err } = await script("ends.ts", ["stuck at the end"]);
  assert.deepEqual({ code, out }, { code: 0, out: "closed\n" });
  assert.match(err, /KNT_WORKER_STUCK/);
});

test("a host that is busy while its workers end gives none of them up", async () => {
  const { code, out, err } = await script("ends.ts", ["busy while workers end"]);
  assert.deepEqual({ code, out, err }, { code: 0, out: "closed\n", err: "" });
});

test("shutdown(ms) ends the pool that much later; until then it serves", async () => {
  const pool = createPool(kind())({ sleepy, double });
  await pool.call.double(1);
  const start = performance.now();
  const ended = pool.shutdown(3000);
  const late = reason(pool.call.sleepy(60_000));
  assert.equal(await pool.call.sleepy(20), 20);
  assert.equal(await pool.call.double(2), 4);
  closed(await late);
  await ended;
  assert.ok(performance.now() - start >= 2995);
});

test("disposing starts the end; disposing asynchronously waits for it", async () => {
  const before = threads();
  const pool = createPool(kind({ threads: 2 }))({ sleepy });
  const open = reason(pool.call.sleepy(10_000));
  pool[Symbol.dispose]();
  closed(await open);
  await pool.shutdown();
  const other = createPool(kind({ threads: 2 }))({ sleepy });
  await other[Symbol.asyncDispose]();
  await assertThreads(before, "both disposed of");
});

test("`using` and `await using` end a pool with its block, where the runtime has them", async (t) => {
  const { code, out, err } = await script("using.mjs");
  if (/SyntaxError/.test(err)) return skip(t, "it has no `using`");
  assert.deepEqual({ code, out }, { code: 0, out: "4 closed 6 closed\n" }, err);
});

test("a pool may be shut down in the continuation of its own call", async () => {
  const pool = createPool(kind({ threads: 2 }))({ double });
  const all = Array.from({ length: 1000 }, (_, i) => pool.call.double(i).then((value) => value, closed));
  await pool.call.double(1).then(() => pool.shutdown());
  await within(Promise.all(all), "calls beside the one that ended the pool");
});
