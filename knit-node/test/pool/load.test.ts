/**
 * Any number of calls may be in flight, and none waits behind one that another worker could run.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { busy, double, doubleLater, echo, sleepy } from "../fixtures/basic.ts";
import { Gate, holds } from "../fixtures/held.ts";
import { throws } from "../fixtures/thrown.ts";
import { within, withPool } from "./support.ts";

/** Calls both workers until each has answered: one that is still starting can run nothing. */
async function bothUp(busy: (ms: number) => Promise<number>): Promise<void> {
  while (new Set(await Promise.all([busy(50), busy(50)])).size < 2);
}

for (const threads of [1, 2]) {
  for (const steal of [true, false]) {
    test(`100 000 calls in flight are answered, ${threads} threads, steal ${steal}`, { timeout: 120_000 }, () =>
      withPool({ threads, host: { steal } }, { double, doubleLater }, async ({ call }) => {
        const results = await Promise.all(Array.from({ length: 100_000 }, (_, i) => (i % 3 ? call.double(i) : call.doubleLater(i))));
        assert.ok(results.every((value, i) => value === i * 2));
      }));
  }
}

test("100 000 calls that throw are rejected, each with its own value", { timeout: 120_000 }, () =>
  withPool({ threads: 2 }, { throws, echo }, async ({ call }) => {
    const results = await Promise.allSettled(Array.from({ length: 100_000 }, (_, i) => (i % 2 ? call.throws("a string") : call.echo(i))));
    results.forEach((one, i) => assert.deepEqual(one, i % 2 ? { status: "rejected", reason: "no paper" } : { status: "fulfilled", value: i }));
  }));

test("thousands of calls with values of mixed kinds and sizes each get their own answer", { timeout: 120_000 }, () =>
  withPool({ threads: 3 }, { echo }, async ({ call }) => {
    const value = (i: number): unknown =>
      [i, `text ${i}`, { id: i, name: `n${i}` }, [i, [i]], "x".repeat((i * 37) % 5000), null, { [`key${i % 300}`]: i }, new Uint8Array(i % 3000).fill(i), BigInt(i) ** 9n, "y".repeat(20_000 + i)][i % 10];
    const results = await Promise.all(Array.from({ length: 20_000 }, (_, i) => call.echo(value(i))));
    results.forEach((got, i) => assert.deepStrictEqual(got, value(i)));
  }));

test("bursts of every size are answered", () =>
  withPool({ threads: 2 }, { double }, async ({ call }) => {
    for (let size = 1; size <= 5000; size = Math.ceil(size * 1.3)) {
      const results = await Promise.all(Array.from({ length: size }, (_, i) => call.double(i)));
      assert.ok(results.length === size && results.every((value, i) => value === i * 2));
    }
  }));

test("thousands of tasks that wait at the same time wait at the same time", () =>
  withPool({ threads: 2 }, { sleepy }, async ({ call }) => {
    const results = await Promise.all(Array.from({ length: 2000 }, () => call.sleepy(100)));
    assert.ok(results.every((ms) => ms === 100));
  }));

test("ten tiny calls beside a long call on 2 workers end before it", () =>
  withPool({ threads: 2 }, { busy, double, holds }, async ({ call }) => {
    await bothUp(call.busy);
    for (const warm of [0, 2000]) {
      await Promise.all(Array.from({ length: warm }, (_, i) => call.double(i)));
      for (const place of [0, 5, 10]) {
        const gate = new Gate();
        const tiny: Promise<number>[] = [];
        let long: Promise<string> | undefined;
        for (let i = 0; i <= 10; i++) {
          if (i === place) long = call.holds(gate.shared);
          else tiny.push(call.double(i));
        }
        await within(Promise.all(tiny), `tiny calls, with the long call at ${place}, after ${warm} tiny ones`);
        gate.open();
        assert.equal(await long, "let go");
      }
    }
  }));

test("a call made while the only other worker is busy is answered by the idle one, again and again", () =>
  withPool({ threads: 2 }, { busy, double, holds }, async ({ call }) => {
    await bothUp(call.busy);
    const gate = new Gate();
    const long = call.holds(gate.shared);
    for (let i = 0; i < 20; i++) assert.equal(await within(call.double(i), "a tiny call beside a long one"), i * 2);
    gate.open();
    assert.equal(await long, "let go");
  }));
