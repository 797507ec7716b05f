/**
 * Pools do not know of each other, and leave nothing behind.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { WorkerCrashedError, createPool } from "../../ts/index.ts";
import { double, echo, whoAmI } from "../fixtures/basic.ts";
import { dies } from "../fixtures/dying.ts";
import { inProcesses, kind } from "../fixtures/kind.ts";
import { GUARD_MS, reason, script, skip, within, withPool } from "./support.ts";

test("two pools work side by side, and each has its own workers", () =>
  withPool({ threads: 2 }, { whoAmI, echo }, (one) =>
    withPool({ threads: 2 }, { whoAmI, double }, async (two) => {
      const [a, b] = await Promise.all([one, two].map((pool) => Promise.all(Array.from({ length: 200 }, () => pool.call.whoAmI()))));
      assert.ok(!a!.some((id) => b!.includes(id)));
      const mixed = await Promise.all(Array.from({ length: 4000 }, (_, i) => (i % 2 ? one.call.echo(`${i}`) : two.call.double(i))));
      mixed.forEach((value, i) => assert.equal(value, i % 2 ? `${i}` : i * 2));
    })));

test("the answer of one pool feeds another, many times over", () =>
  withPool({}, { double }, (one) =>
    withPool({}, { double }, async (two) => {
      for (let i = 0; i < 500; i++) assert.equal(await two.call.double(one.call.double(i)), i * 4);
    })));

test("a death in one pool, and the end of one pool, leave another alone", () =>
  withPool({}, { double }, async (lasting) => {
    for (let round = 0; round < 3; round++) {
      const other = createPool(kind())({ dies, double });
      const calls = Array.from({ length: 1000 }, (_, i) => lasting.call.double(i));
      assert.ok((await reason(other.call.dies(1))) instanceof WorkerCrashedError);
      await within(other.shutdown(), "shutdown()");
      assert.deepEqual(await Promise.all(calls), Array.from({ length: 1000 }, (_, i) => i * 2));
    }
  }));

test("one set of tasks serves several pools", async () => {
  const tasks = { double, echo };
  await withPool({}, tasks, (a) =>
    withPool({}, tasks, async (b) => {
      assert.deepEqual(await Promise.all([a.call.double(1), b.call.double(2)]), [2, 4]);
    }),
  );
});

/** A process takes ten times as long to start as a thread. */
const POOLS = inProcesses ? 15 : 50;

test("many pools one after the other leave no threads, descriptors or mappings", { timeout: 5 * GUARD_MS }, async (t) => {
  if (process.platform !== "linux") return skip(t, "counted through /proc");
  const { code, out, err } = await script("many-pools.ts", [String(POOLS)], ["--expose-gc"], {}, 4 * GUARD_MS);
  assert.equal(code, 0, err);
  const { first, last } = JSON.parse(out) as Record<"first" | "last", Record<"threads" | "descriptors" | "mappings" | "pools", number>>;
  assert.ok(last.threads <= first.threads, `threads: ${first.threads}, then ${last.threads}`);
  assert.equal(last.pools, 0);
  assert.ok(last.descriptors <= first.descriptors, `descriptors: ${first.descriptors}, then ${last.descriptors}`);
  // The allocators of the runtime and the system keep some; a pool that stayed would have at least one of its own.
  assert.ok(last.mappings < first.mappings + 40, `mappings: ${first.mappings}, then ${last.mappings}`);
});
