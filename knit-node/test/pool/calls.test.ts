/**
 * A call runs its task in a worker and resolves with what that returns.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { double, doubleLater, echo, join, nothing, seen, sleepy, steps, thread, whoAmI } from "../fixtures/basic.ts";
import { thenable } from "../fixtures/refused.ts";
import { reason, sleep, within, withPool } from "./support.ts";

test("a call resolves with the result of its task, synchronous or not", () =>
  withPool({}, { double, doubleLater, join, nothing, steps }, async ({ call }) => {
    assert.equal(await call.double(21), 42);
    assert.equal(await call.doubleLater(21), 42);
    assert.equal(await call.join({ first: "Ada", last: "Lovelace" }), "Ada Lovelace");
    assert.equal(await call.nothing(), undefined);
    assert.equal(await call.steps(100), 4950);
  }));

test("tasks run on other threads", () =>
  withPool({ threads: 2 }, { whoAmI }, async ({ call }) => {
    const ids = await Promise.all(Array.from({ length: 50 }, () => call.whoAmI()));
    assert.ok(!ids.includes(thread));
  }));

test("every number of threads answers every call", async () => {
  for (const threads of [1, 2, 3, 5, 8]) {
    for (const steal of [true, false]) {
      await withPool({ threads, host: { steal } }, { double }, async ({ call }) => {
        const results = await Promise.all(Array.from({ length: 2000 }, (_, i) => call.double(i)));
        assert.deepEqual(results, Array.from({ length: 2000 }, (_, i) => i * 2), `${threads} threads, steal ${steal}`);
      });
    }
  }
});

test("calls go round: without stealing every worker runs its share", () =>
  withPool({ threads: 3, balancer: "roundRobin" }, { whoAmI }, async ({ call }) => {
    const ids = await Promise.all(Array.from({ length: 30 }, () => call.whoAmI()));
    const counts = new Map<number, number>();
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    assert.deepEqual([...counts.values()], [10, 10, 10]);
  }));

test("only the first argument travels, and a missing one arrives as undefined", () =>
  withPool({}, { seen }, async ({ call }) => {
    const loose = call.seen as (...args: unknown[]) => Promise<unknown>;
    assert.deepEqual(await loose("a", () => {}, 3), { count: 1, type: "string" });
    assert.deepEqual(await loose(), { count: 1, type: "undefined" });
  }));

test("a call function works without its pool's name before it", () =>
  withPool({}, { double }, async ({ call }) => {
    assert.deepEqual(await Promise.all([1, 2, 3].map(call.double)), [2, 4, 6]);
  }));

test("a promise as argument is awaited first", () =>
  withPool({}, { double, echo }, async ({ call }) => {
    assert.equal(await call.double(Promise.resolve(4)), 8);
    assert.equal(await call.double(sleep(20).then(() => 5)), 10);
    assert.equal(await call.echo(call.double(6)), 12);
    assert.equal(await call.echo(Promise.resolve(Promise.resolve("deep"))), "deep");
  }));

test("a promise that rejects as argument rejects that call, and runs nothing", () =>
  withPool({}, { echo }, async ({ call }) => {
    const why = new RangeError("no argument");
    assert.equal(await reason(call.echo(Promise.reject(why))), why);
    assert.equal(await call.echo(1), 1);
  }));

test("a thenable as argument is a plain object", () =>
  withPool({}, { echo }, async ({ call }) => {
    assert.deepEqual(await call.echo([{ then: 5 }]), [{ then: 5 }]);
    const thenable = { then() {} };
    assert.match(String(await reason(call.echo(thenable))), /arg\.then/);
  }));

test("an object with a member `then` that is no function arrives as it is", () =>
  withPool({}, { echo }, async ({ call }) => {
    assert.deepEqual(await call.echo({ then: "later" }), { then: "later" });
  }));

test("a task may answer with a thenable", () =>
  withPool({}, { thenable }, async ({ call }) => {
    assert.equal(await call.thenable(1), 2);
  }));

test("answers come in whatever order they are ready", () =>
  withPool({}, { sleepy, double }, async ({ call }) => {
    const order: string[] = [];
    await Promise.all([
      call.sleepy(300).then(() => order.push("slow")),
      call.sleepy(20).then(() => order.push("quick")),
      call.double(1).then(() => order.push("at once")),
    ]);
    assert.deepEqual(order, ["at once", "quick", "slow"]);
  }));

test("a call made in the continuation of another is answered", () =>
  withPool({ threads: 2 }, { double }, async ({ call }) => {
    let n = 1;
    for (let i = 0; i < 2000; i++) n = (await call.double(n)) % 1009;
    let expected = 1;
    for (let i = 0; i < 2000; i++) expected = (expected * 2) % 1009;
    assert.equal(n, expected);
  }));

test("calls after a quiet time are answered", () =>
  withPool({ threads: 2 }, { double }, async ({ call }) => {
    for (const pause of [0, 1, 5, 20, 100, 300]) {
      await sleep(pause);
      assert.equal(await within(call.double(pause), `a call after ${pause} ms`), pause * 2);
    }
  }));

test("the functions of a pool are its tasks and nothing else", () =>
  withPool({}, { double, then: echo, constructor: nothing, ["__proto__"]: whoAmI }, async ({ call }) => {
    assert.deepEqual(Object.keys(call).sort(), ["__proto__", "constructor", "double", "then"]);
    assert.ok(Object.isFrozen(call));
    assert.equal(await call.constructor(), undefined);
  }));

test("65 535 names, and no more, fit into a pool", { timeout: 120_000 }, async () => {
  const many = Object.fromEntries(Array.from({ length: 0xffff }, (_, i) => [`f${i}`, i === 0xfffe ? double : echo]));
  await withPool({}, many, async ({ call }) => {
    assert.equal(await call["f65534"]!(4), 8);
    assert.equal(await call["f0"]!(4), 4);
  });
});
