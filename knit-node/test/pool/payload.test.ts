/**
 * Values of every size arrive; one over the limit is an error that names limit, size and type; full memory means waiting.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { UnsupportedValueError } from "../../ts/index.ts";
import { echo } from "../fixtures/basic.ts";
import { checksum, echoBytes, echoText, makeBytes, makeFloats, pattern, sum, sumLater, sumParts } from "../fixtures/payload.ts";
import { reason, withPool } from "./support.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** Around where frames become blocks, rings end, and heaps change their classes. */
const SIZES = [0, 1, 7, 8, 9, 1000, 4 * KIB, 16 * KIB, 31_999, 32 * KIB, 65_535, 65_536, 65_537, 100_000, 256 * KIB, MIB - 1, MIB, MIB + 1, 3 * MIB, 8 * MIB - 64];

test("bytes of every size arrive, as argument and as result", { timeout: 120_000 }, () =>
  withPool({}, { echoBytes, sum, makeBytes }, async ({ call }) => {
    for (const size of SIZES) {
      const bytes = pattern(size);
      assert.equal(await call.sum(bytes), checksum(bytes), `argument of ${size}`);
      assert.equal(checksum(await call.makeBytes(size)), checksum(bytes), `result of ${size}`);
      const [got] = await Promise.all([call.echoBytes(bytes), call.sum(bytes)]);
      assert.equal(checksum(got), checksum(bytes), `both ways, ${size}`);
      assert.equal(got.buffer.byteLength, size, "its buffer shows no bytes but its own");
    }
  }));

test("text of every size arrives, narrow and wide", { timeout: 120_000 }, () =>
  withPool({}, { echoText }, async ({ call }) => {
    for (const size of SIZES.filter((size) => size <= 2 * MIB)) {
      for (const piece of ["abcdefghij", "äbcdefghiß", "日本語テキスト"]) {
        const text = piece.repeat(Math.ceil(size / 10)).slice(0, size);
        assert.ok((await call.echoText(text)) === text, `${size} units of ${piece}`);
      }
    }
  }));

test("a million doubles arrive, every one", () =>
  withPool({}, { makeFloats }, async ({ call }) => {
    const floats = await call.makeFloats(1_000_000);
    assert.equal(floats.length, 1_000_000);
    assert.ok(floats.every((value, i) => value === i / 2));
  }));

test("an argument over the limit rejects, naming limit, size and type; one within it arrives", () =>
  withPool({ payload: { maxPayloadBytes: 100_000 } }, { sum, echoText }, async ({ call }) => {
    for (const [refused, type, size] of [
      [call.sum(new Uint8Array(150_000)), "Uint8Array", 150_000],
      [call.echoText("x".repeat(200_000)), "string", 200_000],
    ] as const) {
      const error = await reason(refused);
      assert.ok(error instanceof UnsupportedValueError);
      assert.equal(error.code, "KNT_ERROR_3");
      assert.match(error.message, new RegExp(type));
      assert.match(error.message, /100000/);
      const said = [...error.message.matchAll(/\d+/g)].map(Number).filter((n) => n >= size && n < size * 1.1);
      assert.equal(said.length, 1, error.message);
    }
    assert.equal(await call.sum(pattern(99_000)), checksum(pattern(99_000)));
  }));

test("a part that alone is over the limit is named by its path, with its own size", () =>
  withPool({ payload: { maxPayloadBytes: 100_000 } }, { echo }, async ({ call }) => {
    const bytes = new Uint8Array(150_001);
    const refused: readonly (readonly [unknown, string, RegExp])[] = [
      [{ small: 1, deep: [{}, new Map([["k", bytes]])] }, 'arg.deep[1].get("k")', /Uint8Array of 150001 bytes/],
      [[bytes.buffer], "arg[0]", /ArrayBuffer of 150001 bytes/],
      [{ user: { name: "x".repeat(200_000) } }, "arg.user.name", /string of at least 200000 bytes/],
      [{ a: "x".repeat(60_000), b: "x".repeat(60_000) }, "arg", /Object of at least 12\d{4} bytes/],
      [Array.from({ length: 3 }, () => new Uint8Array(50_000)), "arg", /Array of at least 15\d{4} bytes/],
      // Who would look at each of them would take seconds, and ten times their memory.
      [Array.from({ length: 20_000 }, (_, i) => (i === 19_999 ? bytes : i)), "arg", /Array of at least \d{6} bytes/],
    ];
    for (const [value, path, size] of refused) {
      const error = await reason(call.echo(value));
      assert.ok(error instanceof UnsupportedValueError, String(error));
      assert.equal(error.path, path, error.message);
      assert.match(error.message, size);
      assert.match(error.message, /the limit is 100000.*payload\.maxPayloadBytes/);
    }
    assert.equal(await call.echo(5), 5);
  }));

test("a result over the limit rejects its call, naming limit and size, and the worker lives on", () =>
  withPool({ payload: { maxPayloadBytes: 100_000 } }, { makeBytes }, async ({ call }) => {
    const error = await reason(call.makeBytes(150_000));
    assert.ok(error instanceof UnsupportedValueError);
    assert.match(error.message, /result/);
    assert.match(error.message, /100000/);
    assert.equal((await call.makeBytes(99_000)).length, 99_000);
  }));

test("the limit is an eighth of the shared memory unless given", () =>
  withPool({ payload: { payloadMaxByteLength: MIB } }, { sum }, async ({ call }) => {
    const error = await reason(call.sum(new Uint8Array(MIB / 8 + 1)));
    assert.ok(error instanceof UnsupportedValueError);
    assert.match(error.message, /131072/);
    assert.equal(await call.sum(pattern(MIB / 8 - 64)), checksum(pattern(MIB / 8 - 64)));
  }));

for (const threads of [1, 2]) {
  test(`calls wait while the shared memory is full: 50 of 100 KiB through 1 MiB, ${threads} threads`, () =>
    withPool({ threads, payload: { payloadMaxByteLength: MIB } }, { sum, sumLater, echoBytes, makeBytes }, async ({ call }) => {
      const inputs = Array.from({ length: 50 }, (_, i) => pattern(100 * KIB - i));
      const sums = inputs.map(checksum);
      assert.deepEqual(await Promise.all(inputs.map((bytes) => call.sum(bytes))), sums);
      assert.deepEqual(await Promise.all(inputs.map((bytes) => call.sumLater(bytes))), sums);
      assert.deepEqual((await Promise.all(inputs.map((bytes) => call.echoBytes(bytes)))).map(checksum), sums);
      assert.deepEqual((await Promise.all(inputs.map(({ length }) => call.makeBytes(length)))).map(checksum), sums);
    }));
}

test("small calls get through while large ones wait for memory", () =>
  withPool({ threads: 2, payload: { payloadMaxByteLength: MIB } }, { sumLater, echoText }, async ({ call }) => {
    const large = Array.from({ length: 60 }, () => call.sumLater(new Uint8Array(100 * KIB)));
    const small = Array.from({ length: 60 }, (_, i) => call.echoText(`${i}`));
    assert.deepEqual(await Promise.all(small), Array.from({ length: 60 }, (_, i) => `${i}`));
    await Promise.all(large);
  }));

test("memory of large values is used again: a thousand megabytes through four", { timeout: 120_000 }, () =>
  withPool({ threads: 2, payload: { payloadMaxByteLength: 4 * MIB, maxPayloadBytes: 2 * MIB } }, { echoBytes }, async ({ call }) => {
    const bytes = pattern(MIB);
    for (let i = 0; i < 125; i++) {
      const got = await Promise.all(Array.from({ length: 4 }, () => call.echoBytes(bytes)));
      assert.ok(got.every(({ length }) => length === MIB));
    }
  }));

test("a value that fills the memory to the limit arrives", () =>
  withPool({ payload: { payloadMaxByteLength: MIB, maxPayloadBytes: MIB } }, { sum }, async ({ call }) => {
    for (const size of [MIB / 2, 900_000, 1_000_000]) assert.equal(await call.sum(pattern(size)), checksum(pattern(size)), `${size} bytes`);
  }));

// A later call must not take the room that an earlier one waits for: both would wait for ever.
for (const bytes of [9_000, 300_000, 600_000]) {
  test(`calls that fill the shared memory again and again all come through: ${bytes} bytes`, () =>
    withPool({ threads: 2, payload: { payloadMaxByteLength: 1024 * 1024, maxPayloadBytes: 700_000 } }, { echoBytes }, async ({ call }) => {
      for (let round = 0; round < 5; round++) {
        const values = await Promise.all(Array.from({ length: 60 }, (_, i) => call.echoBytes(new Uint8Array(bytes).fill(i))));
        values.forEach((value, i) => assert.equal(value[bytes - 1], i));
      }
    }));
}

test("a value in many parts that together fill the memory arrives, and others meanwhile", { timeout: 120_000 }, () =>
  withPool({ payload: { payloadMaxByteLength: MIB, maxPayloadBytes: MIB } }, { sumParts, sum }, async ({ call }) => {
    const parts = Array.from({ length: 100 }, (_, i) => pattern(9000 + i));
    const calls = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? call.sumParts(parts).then((sums) => sums.join()) : call.sum(parts[i]!)));
    const sums = parts.map(checksum);
    assert.deepEqual(await Promise.all(calls), Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? sums.join() : sums[i])));
  }));
