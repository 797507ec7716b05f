/**
 * Large binary values: shown in place where they arrive, for as long as the program likes; and memory that is filled where it is sent from.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { OptionError, createPool } from "../../ts/index.ts";
import { describe, keep, keepAndDie, keptSums, scribble } from "../fixtures/large.ts";
import { checksum, echoBytes, makeBytes, pattern, sum } from "../fixtures/payload.ts";
import { reason, withPool, within } from "./support.ts";
import { kind } from "../fixtures/kind.ts";

const MIB = 1024 * 1024;
const small = { payload: { payloadMaxByteLength: 8 * MIB, maxPayloadBytes: 4 * MIB } };

test("a task may keep every large value it gets, and calls go on", { timeout: 120_000 }, () =>
  withPool(small, { keep, keptSums }, async ({ call }) => {
    const values = Array.from({ length: 40 }, (_, i) => pattern(MIB + i));
    await Promise.all(values.map((value) => call.keep(value)));
    assert.deepEqual((await call.keptSums()).sort(), values.map(checksum).sort());
  }));

test("a host may keep every large result, and calls go on", { timeout: 120_000 }, () =>
  withPool({ ...small, threads: 2 }, { makeBytes }, async ({ call }) => {
    const sizes = Array.from({ length: 40 }, (_, i) => MIB + i);
    const values = await Promise.all(sizes.map((size) => call.makeBytes(size)));
    for (const [i, value] of values.entries()) assert.equal(checksum(value), checksum(pattern(sizes[i]!)));
  }));

test("a large result outlives its worker and its pool", async () => {
  const pool = createPool(kind(small))({ makeBytes });
  const values = await Promise.all([1, 2, 3].map(() => within(pool.call.makeBytes(2 * MIB), "makeBytes")));
  await within(pool.shutdown(), "shutdown");
  for (const value of values) {
    assert.equal(checksum(value), checksum(pattern(2 * MIB)));
    value.fill(1);
  }
});

test("what a task writes into a large value that it got is nobody else's", () =>
  withPool(small, { scribble, echoBytes }, async ({ call }) => {
    const value = pattern(MIB);
    const [first, second, back] = await Promise.all([call.scribble(value), call.scribble(value), call.echoBytes(value)]);
    assert.deepEqual([first, second, checksum(back), checksum(value)], new Array(4).fill(checksum(pattern(MIB))));
    assert.equal(back.buffer.byteLength, MIB, "its buffer shows no bytes but its own");
  }));

test("a worker that dies with large values in its hands loses no memory", { timeout: 120_000 }, () =>
  withPool(small, { keepAndDie, sum }, async ({ call }) => {
    for (let i = 0; i < 6; i++) {
      await reason(call.keepAndDie(pattern(3 * MIB)));
      const value = pattern(4 * MIB - 1024);
      assert.equal(await call.sum(value), checksum(value));
    }
  }));

test("pool.alloc: what is filled there arrives, and has moved", () =>
  withPool(small, { sum, describe }, async ({ call, alloc }) => {
    for (const size of [0, 1, 100, 8192, 100_000, MIB, 4 * MIB - 4096]) {
      const bytes = alloc(size);
      assert.equal(bytes.length, size);
      assert.ok(bytes.every((byte) => byte === 0));
      bytes.set(pattern(size));
      const sent = call.sum(bytes);
      assert.equal(bytes.length, 0, "it is empty as soon as it is sent");
      assert.equal(await sent, checksum(pattern(size)));
    }
    const [a, b] = [alloc(300_000), alloc(10)];
    a.fill(5);
    b.fill(6);
    const got = await call.describe({ text: "two", parts: [a, b, a] });
    const [x, y] = [new Uint8Array(300_000).fill(5), new Uint8Array(10).fill(6)];
    assert.deepEqual(got.parts, [x, y, x].map((part) => [part.length, part.length, checksum(part)]));
    assert.deepEqual([a.length, b.length], [0, 0]);
  }));

test("pool.alloc: a part of it is copied, and a refused value leaves it where it is", () =>
  withPool(small, { sum, describe }, async ({ call, alloc }) => {
    const bytes = alloc(MIB);
    bytes.set(pattern(MIB));
    assert.equal(await call.sum(bytes.subarray(0, 1000)), checksum(pattern(MIB).subarray(0, 1000)));
    assert.equal(bytes.length, MIB);
    await reason(call.describe({ parts: [bytes], text: (() => "no") as unknown as string }));
    assert.equal(checksum(bytes), checksum(pattern(MIB)));
    assert.equal(await call.sum(bytes), checksum(pattern(MIB)));
    await assert.rejects(call.sum(bytes), { code: "KNT_ERROR_2" }, "it has gone");
  }));

test("pool.alloc: more than there is room for is ordinary memory, and so after shutdown", async () => {
  const pool = createPool(kind(small))({ sum });
  const all = Array.from({ length: 20 }, () => pool.alloc(MIB).fill(3));
  const sums = await within(Promise.all(all.map((bytes) => pool.call.sum(bytes))), "calls");
  assert.deepEqual(sums, new Array(20).fill(checksum(new Uint8Array(MIB).fill(3))));
  assert.deepEqual(new Set(all.map((bytes) => bytes.length)), new Set([0]));
  const left = pool.alloc(1000).fill(1);
  await within(pool.shutdown(), "shutdown");
  assert.equal(left[999], 1);
  assert.equal(pool.alloc(1000).length, 1000);
  for (const bad of [-1, 1.5, NaN, "5" as unknown as number]) assert.throws(() => pool.alloc(bad), OptionError);
});
