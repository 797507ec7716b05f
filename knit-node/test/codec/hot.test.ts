/**
 * Shapes that came often are written and read by code of their own: nothing may tell it from the code for all shapes.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { ByteBuffer } from "../../ts/codec/buffer.ts";
import { canCompile } from "../../ts/codec/compile.ts";
import { DEFAULT_LIMITS } from "../../ts/codec/format.ts";
import { Channel } from "./support.ts";

/** More uses than any code waits for. */
const OFTEN = 60;

/** A channel on which objects with the keys of `like` are nothing new. */
function warm(like: object, options: ConstructorParameters<typeof Channel>[0] = {}): Channel {
  const channel = new Channel(options);
  for (let i = 0; i < OFTEN; i++) channel.send({ ...like });
  return channel;
}

const scalars: unknown[] = [
  0, -0, 1.5, NaN, Infinity, 2 ** 40, -7, true, false, null, undefined, "", "a", "twenty-four letters here", "twenty-five letters here!",
  "é", "日本語", "\ud83d\ude00", "\ud800", "x".repeat(300), "é".repeat(300), "y".repeat(5000), 5n, 2n ** 70n, -(2n ** 64n),
];

function others(): unknown[] {
  const cycle: Record<string, unknown> = { a: 1, b: "deep" };
  cycle["b"] = cycle;
  return [{ x: 1 }, [1, 2, 3], ["a", { b: 1 }], new Date(5), new Map([[1, 2]]), new Uint8Array([1, 2, 3]), cycle, { a: "inner", b: 2 }];
}

test("an object of a shape that came often has the same bytes as any other", { skip: canCompile ? false : "code generation is forbidden here" }, () => {
  const values = [...scalars, ...others()];
  const compiled = new Channel();
  const plain = new Channel({ encoder: { compile: false }, decoder: { compile: false } });
  for (let i = 0; i < OFTEN; i++) {
    for (const channel of [compiled, plain]) channel.send({ a: i, b: "text" });
  }
  for (const a of values) {
    for (const b of values) {
      const value = { a, b };
      const bytes = compiled.bytes(value);
      assert.deepEqual(bytes, plain.bytes(value));
      const arrived = compiled.read(bytes);
      assert.deepStrictEqual(arrived, plain.read(bytes));
      assert.deepStrictEqual(Object.keys(arrived as object), ["a", "b"]);
    }
  }
});

test("an object that holds itself arrives so, though its shape came often without", () => {
  const channel = warm({ id: 1, self: "none" });
  for (let i = 0; i < OFTEN; i++) {
    const value: Record<string, unknown> = { id: i, self: null };
    value["self"] = value;
    const arrived = channel.send(value);
    assert.equal(arrived["self"], arrived);
    assert.equal(arrived["id"], i);
  }
});

test("the buffer grows for an object that does not fit", () => {
  const channel = warm({ id: 1, text: "short" }, { bytes: 64 });
  for (const length of [10, 30, 500, 1000, 3000]) {
    const value = { id: 2, text: "z".repeat(length) };
    channel.out.attach(new ArrayBuffer(24));
    assert.deepStrictEqual(channel.send(value), value);
  }
});

test("the limit of bytes holds for an object of a shape that came often", () => {
  const channel = warm({ id: 1, text: "short" }, { limits: { ...DEFAULT_LIMITS, maxBytes: 64 } });
  assert.deepStrictEqual(channel.send({ id: 1, text: "t".repeat(32) }), { id: 1, text: "t".repeat(32) });
  assert.throws(() => channel.bytes({ id: 1, text: "t".repeat(33) }), { code: "KNT_ERROR_3" });
  assert.deepStrictEqual(channel.send({ id: 1, text: "again" }), { id: 1, text: "again" });
});

test("every property of a shape that came often is read once, whatever it holds", () => {
  const channel = warm({ a: 1, b: 2 });
  for (const item of [1, "text", { deep: true }, "é", [1]]) {
    const reads: string[] = [];
    const value = {
      get a() {
        reads.push("a");
        return item;
      },
      get b() {
        reads.push("b");
        return 2;
      },
    };
    assert.deepStrictEqual(channel.send(value), { a: item, b: 2 });
    assert.deepEqual(reads, ["a", "b"]);
  }
});

test("accessors of a shape that came often may use the encoder, and may throw", () => {
  const channel = warm({ a: 1, b: 2 });
  const inner = new ByteBuffer(new ArrayBuffer(256));
  let end = 0;
  const nested = {
    a: 1,
    get b() {
      assert.equal(channel.encoder.busy, true);
      end = channel.encoder.encode({ a: "inner", b: 3 }, inner, 8);
      return "outer";
    },
  };
  assert.deepStrictEqual(channel.send(nested), { a: 1, b: "outer" });
  assert.deepStrictEqual(channel.decoder.decode(inner, 8, end - 8), { a: "inner", b: 3 });
  const boom = new RangeError("boom");
  const throwing = {
    a: 1,
    get b(): never {
      throw boom;
    },
  };
  assert.throws(() => channel.bytes(throwing), (error) => error === boom);
  assert.equal(channel.encoder.busy, false);
  assert.deepStrictEqual(channel.send({ a: 1, b: 2 }), { a: 1, b: 2 });
});

test("a proxy's traps may use the encoder", () => {
  const channel = warm({ a: 1, b: 2 });
  const inner = new ByteBuffer(new ArrayBuffer(256));
  const seen: boolean[] = [];
  const value = new Proxy(
    { a: 1, b: 2 },
    {
      getPrototypeOf: (target) => {
        seen.push(channel.encoder.busy);
        channel.encoder.encode({ a: 5, b: 6 }, inner, 8);
        return Reflect.getPrototypeOf(target);
      },
    },
  );
  assert.deepStrictEqual(channel.send(value), { a: 1, b: 2 });
  assert.ok(seen.length > 0 && seen.every((busy) => busy));
});

test("what Object.prototype was given is not taken for a key of a shape that came often", () => {
  const channel = warm({ a: 1, polluted: 2 });
  const prototype = Object.prototype as { polluted?: number };
  try {
    prototype.polluted = 9;
    assert.deepEqual(Object.keys(channel.send({ a: 1 })), ["a"]);
    assert.deepEqual(Object.entries(channel.send({ a: 1, polluted: 3 })), [["a", 1], ["polluted", 3]]);
  } finally {
    delete prototype.polluted;
  }
  assert.deepStrictEqual(channel.send({ a: 4, polluted: 5 }), { a: 4, polluted: 5 });
});

test("several shapes may take turns", () => {
  const channel = new Channel();
  for (let i = 0; i < 6 * OFTEN; i++) {
    const value = [{ a: i }, { b: `${i}` }, { a: i, b: true }, { b: 1, a: "x" }, { c: null }, { d: undefined, a: 1.5 }][i % 6]!;
    const arrived = channel.send(value);
    assert.deepStrictEqual(arrived, value);
    assert.deepEqual(Object.keys(arrived), Object.keys(value));
  }
});

test("keys that need care: __proto__, integers, those that objects inherit", () => {
  const value = Object.defineProperty({ 7: "seven", toString: "own", b: 1 }, "__proto__", { value: 3, enumerable: true, writable: true, configurable: true });
  const channel = new Channel();
  for (let i = 0; i < OFTEN; i++) {
    const arrived = channel.send(value);
    assert.deepEqual(Object.getOwnPropertyDescriptors(arrived), Object.getOwnPropertyDescriptors(value));
    assert.equal(Object.getPrototypeOf(arrived), Object.prototype);
  }
});

test("a message of a shape that came often is checked like any other", () => {
  const channel = warm({ msg: "hello", id: 7 });
  const good = channel.bytes({ msg: "hello", id: 7 });
  assert.equal(good.length, 37);
  const change = (edit: (words: Int32Array, bytes: Uint8Array) => void): Uint8Array => {
    const bytes = new Uint8Array(48);
    bytes.set(good);
    edit(new Int32Array(bytes.buffer), bytes);
    return bytes.subarray(0, good.length);
  };
  const refused = (bytes: Uint8Array, reason: string): void => {
    assert.throws(() => channel.read(bytes), { reason });
    assert.deepStrictEqual(channel.read(good), { msg: "hello", id: 7 });
  };
  for (const [edit, reason] of [
    [(words: Int32Array) => (words[0] = 28), "BadOperand"],
    [(words: Int32Array) => (words[0] = 24), "Truncated"],
    [(words: Int32Array) => (words[0] = 40), "Truncated"],
    [(words: Int32Array) => (words[4] = 4), "TrailingBytes"],
    [(words: Int32Array) => (words[4] = 6), "Truncated"],
    [(words: Int32Array) => (words[4] = -1), "Truncated"],
    [(words: Int32Array) => (words[2] = 1000), "UnknownShape"],
    [(_: Int32Array, bytes: Uint8Array) => (bytes[34] = 0xff), "BadText"],
  ] as const) {
    refused(change(edit), reason);
  }
});
