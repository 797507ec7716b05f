/**
 * Bytes are input: damaged messages and tables end in a value or a `CodecError`, quickly, never in a hang or a giant allocation.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { Channel } from "./support.ts";
import { ByteBuffer } from "../../ts/codec/buffer.ts";
import { CodecError } from "../../ts/codec/errors.ts";
import { Decoder } from "../../ts/codec/decode.ts";
import { ShapeReader, ShapeWriter } from "../../ts/codec/shapes.ts";
import { Envelope } from "../../ts/api/envelope.ts";

/** A small generator with a fixed seed: a failure can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((state >>> 0) / 2 ** 32) * below);
  };
}

function samples(): unknown[] {
  const shared = { x: 1 };
  const cyclic: unknown[] = [shared, shared];
  cyclic.push(cyclic);
  return [
    { msg: "hello", id: 1, list: [1, 2, 3.5], nested: { a: null, b: undefined, c: true } },
    [cyclic, "text", "größe", new Date(1), /x/g, new URL("https://a.b/c")],
    new Map<unknown, unknown>([["k", new Set([1, "two"])], [2n ** 80n, new Uint16Array([1, 2, 3])]]),
    ["\ud800", { "\udc00": 1 }],
    [1, , 3, , , , "x"],
    Object.assign(new TypeError("bad", { cause: "why" }), { code: "E", extra: [1] }),
    new AggregateError([new Error("a")], "all"),
    new Envelope("header", { body: [1n, Symbol.for("s")] }),
    Array.from({ length: 40 }, (_, i) => ({ id: i, name: `n${i}` })),
    "x".repeat(6000) + "é",
    2n ** 2000n,
  ];
}

function attempt(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    assert.ok(error instanceof CodecError, `${String(error)}\n${(error as Error).stack ?? ""}`);
    assert.equal(error.code, "KNT_ERROR_CORRUPT");
    return false;
  }
}

test("damaged messages are refused or mean something else", () => {
  const channel = new Channel();
  for (const value of samples()) for (let i = 0; i < 3; i++) channel.send(value);
  const next = random(1);
  let refused = 0;
  for (const value of samples()) {
    const bytes = channel.bytes(value);
    for (let round = 0; round < 400; round++) {
      const damaged = bytes.slice();
      for (let k = next(3); k >= 0; k--) {
        const at = next(damaged.length);
        // Whole words and tags are hit as often as single bits.
        if (next(2) === 0) damaged[at] ^= 1 << next(8);
        else damaged.set([next(256), next(0x1d), 0xfe, 0xff], Math.min(at & ~3, Math.max(0, damaged.length - 4)));
      }
      if (!attempt(() => channel.read(damaged))) refused++;
    }
  }
  assert.ok(refused > 300);
  assert.deepStrictEqual(channel.send(samples()[0]), samples()[0]);
});

test("every message cut short is refused", () => {
  const channel = new Channel();
  for (const value of samples()) {
    const bytes = channel.bytes(value);
    const step = bytes.length > 1000 ? 97 : 1;
    for (let length = 0; length < bytes.length; length += step) assert.equal(attempt(() => channel.read(bytes.subarray(0, length))), false);
  }
});

test("random slots are refused or mean something", () => {
  const next = random(2);
  const decoder = new Decoder(new ShapeReader(new Int32Array(16)));
  const words = new Int32Array(64);
  for (let round = 0; round < 8000; round++) {
    const slots = 2 + next(20);
    words[0] = (1 + next(slots)) * 8;
    words[1] = 0xfffe0000 | next(16);
    for (let i = 1; i < slots; i++) {
      words[i * 2] = next(4) === 0 ? next(0x7fffffff) : next(6);
      words[i * 2 + 1] = next(4) === 0 ? next(0x7fffffff) : 0xfffe0000 | (next(0x1d) << 8) | (next(4) === 0 ? next(16) : 0);
    }
    attempt(() => decoder.decode(new ByteBuffer(words.buffer), 0, slots * 8));
  }
});

test("a count does not make a reader allocate", () => {
  // A message of 3 slots whose count is as high as can be, for every tag that has one.
  for (const tag of [0x05, 0x06, 0x08, 0x0b, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x15]) {
    for (const count of [0xffffffff, 0x7fffffff, 0x10000000]) {
      const words = new Uint32Array([24, 0xfffe0000, count, 0xfffe0000 | (tag << 8), 1, 0xfffe0500]);
      assert.equal(attempt(() => new Decoder(null).decode(new ByteBuffer(words.buffer), 0, 24)), false);
    }
  }
});

test("runs of holes do not take memory", () => {
  // 100 entries, each an item after a gap of a few thousand holes, and gaps just below what engines store in place.
  for (const gap of [1023, 1024, 5000, 40_000_000]) {
    const entries = 100;
    const words = new Int32Array(2 * (2 + entries * 2));
    words.set([words.byteLength, 0xfffe0000 | 0, entries * 2, 0xfffe0f00 | 0]);
    for (let i = 0; i < entries; i++) words.set([gap, 0xfffe0500 | 0, 0, 0], 4 + i * 4);
    const array = new Decoder(null).decode(new ByteBuffer(words.buffer), 0, words.byteLength) as unknown[];
    assert.equal(array.length, entries * (gap + 1));
    assert.equal(Object.keys(array).length, entries);
  }
});

test("references may not make a shape's keys collide with what objects inherit", () => {
  const channel = new Channel();
  const value = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2, "toString": null}') as object;
  for (let i = 0; i < 30; i++) {
    const got = channel.send({ value }).value as object;
    assert.equal(Object.getPrototypeOf(got), Object.prototype);
    assert.equal((got as { polluted?: number }).polluted, undefined);
    assert.deepEqual(Object.keys(got), ["__proto__", "constructor", "toString"]);
  }
});

test("keys cannot break out of generated code", () => {
  const channel = new Channel();
  const nasty = { '"]; throw 1; //': 1, "\\": 2, "`${x}": 3, "\n": 4, "\u2028": 5, "*/": 6, get: 7, async: 8, "0x1": 9 };
  for (let i = 0; i < 60; i++) assert.deepStrictEqual(channel.send([nasty]), [nasty]);
});

test("a damaged shape table is refused", () => {
  const table = new Int32Array(256);
  const writer = new ShapeWriter(table);
  assert.equal(writer.add(["msg", "id"]), 0);
  assert.equal(writer.add(["größe", "", "🧶"]), 1);
  assert.equal(writer.add(["\ud800"]), -1);
  assert.equal(writer.add([]), 2);
  assert.equal(writer.add(Array.from({ length: 30 }, (_, i) => `a long key ${i}`)), -1);
  const reader = new ShapeReader(table);
  assert.deepEqual([0, 1, 2].map((n) => reader.get(n)?.keys), [["msg", "id"], ["größe", "", "🧶"], []]);
  assert.equal(reader.get(3), undefined);
  const next = random(3);
  for (let round = 0; round < 4000; round++) {
    const damaged = table.slice();
    for (let k = next(3); k >= 0; k--) damaged[next(24)] = next(3) === 0 ? next(0x7fffffff) * (next(2) === 0 ? -1 : 1) : next(20);
    attempt(() => {
      const other = new ShapeReader(damaged);
      for (let n = 0; n < 4; n++) other.get(n);
    });
  }
});

test("a message outside its buffer is refused", () => {
  const views = new ByteBuffer(new ArrayBuffer(64));
  const decoder = new Decoder(null);
  for (const [at, length] of [[0, 72], [64, 8], [-8, 8], [4, 8], [56, 16], [0, -8], [0, 0], [NaN, 8], [0, NaN]]) {
    assert.equal(attempt(() => decoder.decode(views, at, length)), false);
  }
});

test("a reader's own limits hold", () => {
  const bytes = new Channel().bytes([[["deep"]], "x".repeat(100)]);
  assert.throws(() => new Channel({ limits: { maxDepth: 2, maxBytes: 1e6 } }).read(bytes), { reason: "TooDeep" });
  assert.throws(() => new Channel({ limits: { maxDepth: 9, maxBytes: 100 } }).read(bytes), { reason: "TooLarge" });
});
