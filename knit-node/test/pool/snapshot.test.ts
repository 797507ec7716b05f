/**
 * An argument is read completely before the call returns, however many calls are in flight.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { createPool } from "../../ts/index.ts";
import { double, echo } from "../fixtures/basic.ts";
import { reason, within, withPool } from "./support.ts";
import { kind } from "../fixtures/kind.ts";

const RECORD = (i: number) => ({ id: i, name: `user ${i}`, tags: ["a", `b${i}`], when: new Date(i), bytes: new Uint8Array([i & 255, 1]) });

for (const inFlight of [1, 100, 20_000]) {
  test(`changing an argument after the call changes nothing, with ${inFlight} calls in flight`, () =>
    withPool({ threads: 2 }, { echo }, async ({ call }) => {
      const shared = RECORD(0);
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < inFlight; i++) {
        shared.id = i;
        shared.name = `user ${i}`;
        shared.tags[1] = `b${i}`;
        shared.when.setTime(i);
        shared.bytes[0] = i & 255;
        calls.push(call.echo(shared));
        shared.id = -1;
        shared.name = "changed";
        shared.tags.push("changed");
        shared.tags.pop();
        shared.bytes.fill(77);
      }
      shared.bytes = new Uint8Array(0);
      shared.tags.length = 0;
      const results = await Promise.all(calls);
      results.forEach((got, i) => assert.deepStrictEqual(got, { ...RECORD(i), bytes: new Uint8Array([i & 255, 77]).fill(i === 0 ? 1 : 77, 1) }));
    }));
}

test("changing a large argument after the call changes nothing", () =>
  withPool({ threads: 2 }, { echo }, async ({ call }) => {
    const bytes = new Uint8Array(1024 * 1024);
    const calls = Array.from({ length: 20 }, (_, i) => {
      bytes.fill(i);
      return call.echo(bytes) as Promise<Uint8Array>;
    });
    bytes.fill(255);
    for (const [i, got] of (await Promise.all(calls)).entries()) assert.ok(got.length === bytes.length && got.every((byte) => byte === i));
  }));

test("transferring a buffer away after the call changes nothing", () =>
  withPool({}, { echo }, async ({ call }) => {
    const bytes = new Uint8Array([1, 2, 3]);
    const answer = call.echo(bytes);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    assert.deepEqual(await answer, new Uint8Array([1, 2, 3]));
  }));

test("an accessor of an argument may call the pool, and both calls are answered", () =>
  withPool({}, { echo, double }, async ({ call }) => {
    for (let round = 0; round < 50; round++) {
      const inner: Promise<unknown>[] = [];
      const outer = {
        first: round,
        get second() {
          inner.push(call.double(round), call.echo({ nested: "x".repeat(round * 100) }));
          return "read";
        },
        third: ["text", { deep: true }],
      };
      const before = call.echo("before");
      const answer = await call.echo(outer);
      assert.deepStrictEqual(answer, { first: round, second: "read", third: ["text", { deep: true }] });
      assert.equal(await before, "before");
      assert.deepStrictEqual(await Promise.all(inner), [round * 2, { nested: "x".repeat(round * 100) }]);
    }
  }));

test("accessors may call the pool within accessors, at any depth", () =>
  withPool({}, { echo }, async ({ call }) => {
    const inner: Promise<unknown>[] = [];
    const make = (depth: number): object => ({
      depth,
      get deeper() {
        if (depth > 0) inner.push(call.echo(make(depth - 1)));
        return `after ${depth}`;
      },
    });
    assert.deepEqual(await call.echo(make(10)), { depth: 10, deeper: "after 10" });
    const got = (await Promise.all(inner)) as { depth: number }[];
    assert.deepEqual(got.map(({ depth }) => depth).sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }));

test("thousands of calls made by one accessor are answered, large ones too", () =>
  withPool({ threads: 2 }, { echo }, async ({ call }) => {
    const inner: Promise<unknown>[] = [];
    const outer = {
      get many() {
        for (let i = 0; i < 3000; i++) inner.push(call.echo(i));
        inner.push(call.echo("y".repeat(500_000)));
        return 1;
      },
    };
    assert.deepEqual(await call.echo(outer), { many: 1 });
    const got = await Promise.all(inner);
    assert.deepEqual(got.slice(0, 3000), Array.from({ length: 3000 }, (_, i) => i));
    assert.equal((got[3000] as string).length, 500_000);
  }));

test("a call made by an accessor that then throws is answered, though its argument is refused", () =>
  withPool({}, { echo, double }, async ({ call }) => {
    let inner: Promise<unknown> | undefined;
    const why = new Error("after the call");
    const outer = call.echo({
      get bad() {
        inner = call.double(4);
        throw why;
      },
    });
    assert.equal(await reason(outer), why);
    assert.equal(await within(inner!, "a call made by an accessor that throws"), 8);
  }));

test("a refused call made by an accessor rejects, and the argument around it travels", () =>
  withPool({}, { echo }, async ({ call }) => {
    let inner: Promise<unknown> | undefined;
    const outer = call.echo({
      get fine() {
        inner = reason(call.echo({ f() {} }));
        return 1;
      },
    });
    assert.deepEqual(await outer, { fine: 1 });
    assert.match(String(await inner), /arg\.f/);
  }));

test("accessors of two pools may call each other's pool", () =>
  withPool({}, { echo }, (one) =>
    withPool({}, { double }, async (two) => {
      let inner: Promise<unknown> | undefined;
      const outer = one.call.echo({
        get other() {
          inner = two.call.double(3);
          return 2;
        },
      });
      assert.deepEqual(await outer, { other: 2 });
      assert.equal(await inner, 6);
    })));

test("an accessor that ends the pool settles every call", async () => {
  const pool = createPool(kind())({ echo });
  let ended: Promise<void> | undefined;
  const before = pool.call.echo(0);
  const outer = pool.call.echo({
    get last() {
      ended = pool.shutdown();
      return 1;
    },
  });
  const settled = await within(Promise.allSettled([before, outer]), "a call whose argument ends the pool", 10_000);
  await within(ended!, "shutdown() from an accessor");
  assert.deepEqual(settled.map((one) => one.status === "rejected" && (one.reason as { code?: string }).code), ["KNT_POOL_CLOSED", "KNT_POOL_CLOSED"]);
});
