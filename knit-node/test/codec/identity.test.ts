/**
 * Shared and cyclic references, holes, errors, accessors: what a message keeps beyond plain values.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { Channel, SETUPS } from "./support.ts";
import { ByteBuffer } from "../../ts/codec/buffer.ts";
import { Decoder } from "../../ts/codec/decode.ts";
import { Encoder } from "../../ts/codec/encode.ts";
import { Envelope } from "../../ts/api/envelope.ts";

interface Node {
  name: string;
  next?: Node;
  list: unknown[];
}

for (const [setup, options] of SETUPS) {
  test(`shared and cyclic references arrive as the same objects, ${setup}`, () => {
    const channel = new Channel(options);
    for (let round = 0; round < 40; round++) {
      const a: Node = { name: "a", list: [] };
      const b: Node = { name: "b", next: a, list: [a] };
      a.next = b;
      a.list.push(a, b, a.list);
      const got = channel.send({ a, b });
      assert.equal(got.a.next, got.b);
      assert.equal(got.b.next, got.a);
      assert.equal(got.a.list[0], got.a);
      assert.equal(got.a.list[1], got.b);
      assert.equal(got.a.list[2], got.a.list);
      assert.deepEqual([got.a.name, got.b.name], ["a", "b"]);
    }
  });

  test(`every kind of object keeps its identity, ${setup}`, () => {
    const channel = new Channel(options);
    const error = new RangeError("x");
    const kinds: object[] = [{ x: 1 }, [], [1, 2], [, 1], new Map(), new Set(), new Date(5), /x/g, new URL("https://a.b/"), new Uint8Array(3), new ArrayBuffer(9)];
    kinds.push(new DataView(new ArrayBuffer(3)), error, new Envelope(1, 2), Object.create(null) as object, Object.assign(new Error("y"), { extra: kinds[0] }));
    const got = channel.send([...kinds, ...kinds]);
    for (let i = 0; i < kinds.length; i++) assert.equal(got[i], got[i + kinds.length], kinds[i].constructor?.name);
    assert.equal(new Set(got).size, kinds.length);
  });
}

test("cycles through maps, sets, errors and envelopes close", () => {
  const channel = new Channel();
  const map = new Map<unknown, unknown>();
  map.set("self", map).set(map, 1);
  const gotMap = channel.send(map);
  assert.equal(gotMap.get("self"), gotMap);
  assert.equal(gotMap.get(gotMap), 1);
  const set = new Set<unknown>();
  set.add(set);
  const gotSet = channel.send(set);
  assert.ok(gotSet.has(gotSet));
  const error: Error & { own?: unknown } = new Error("round");
  error.cause = error;
  error.own = [error];
  const gotError = channel.send(error);
  assert.equal(gotError.cause, gotError);
  assert.equal((gotError.own as unknown[])[0], gotError);
  const envelope = new Envelope<unknown, unknown>([], null);
  (envelope.header as unknown[]).push(envelope);
  const gotEnvelope = channel.send(envelope);
  assert.equal((gotEnvelope.header as unknown[])[0], gotEnvelope);
});

test("identity holds among thousands of objects", () => {
  const channel = new Channel();
  const all = Array.from({ length: 3000 }, (_, i) => ({ i, peer: null as unknown }));
  all.forEach((item, i) => (item.peer = all[(i * 7) % all.length]));
  const got = channel.send(all);
  got.forEach((item, i) => assert.equal(item.peer, got[(i * 7) % got.length]));
  // The next message starts afresh.
  const pair = channel.send([all[0], all[1]]);
  assert.equal(pair[0].peer, pair[0]);
});

test("a structure that shares everything is written once", () => {
  let node: unknown = { leaf: 1 };
  for (let i = 0; i < 200; i++) node = [node, node];
  const channel = new Channel();
  assert.ok(channel.bytes(node).length < 20_000);
  let got = channel.send(node) as unknown[];
  for (let i = 0; i < 200; i++) {
    assert.equal(got[0], got[1]);
    got = got[0] as unknown[];
  }
});

test("holes stay holes", () => {
  const channel = new Channel();
  const cases: unknown[][] = [[,], [, 1], [1, , 3], [1, "a", , undefined, , ,], new Array<unknown>(5), [undefined, ,], [, , , 1.5, , "x"]];
  for (const value of cases) {
    const got = channel.send(value);
    assert.equal(got.length, value.length);
    assert.deepEqual(Object.keys(got), Object.keys(value));
    assert.deepStrictEqual(got, value);
  }
});

test("a sparse array takes little room and little time on both sides", () => {
  const channel = new Channel();
  for (const length of [5000, 2 ** 24, 2 ** 31, 2 ** 32 - 1]) {
    const value: unknown[] = [1];
    value.length = length;
    value[2000] = "two thousand";
    value[length - 1] = "last";
    const bytes = channel.bytes(value);
    assert.ok(bytes.length < 200);
    const got = channel.read(bytes) as unknown[];
    assert.equal(got.length, length);
    assert.deepEqual(Object.keys(got), ["0", "2000", String(length - 1)]);
    assert.equal(got[length - 1], "last");
  }
  const empty: unknown[] = [];
  empty.length = 2 ** 32 - 2;
  const got = channel.send(empty);
  assert.equal(got.length, 2 ** 32 - 2);
  assert.deepEqual(Object.keys(got), []);
});

test("errors keep name, message, stack, cause, code and their own properties", () => {
  const channel = new Channel();
  class Custom extends TypeError {
    override name = "Custom";
    status = 418;
  }
  const cause = new Error("deeper", { cause: "deepest" });
  const sent = Object.assign(new Custom("no tea", { cause }), { code: "E_TEA", detail: { at: [1, 2] } });
  const got = channel.send(sent);
  assert.equal(Object.getPrototypeOf(got), Error.prototype);
  assert.deepEqual([got.name, got.message, got.stack, got.code, got.status], ["Custom", "no tea", sent.stack, "E_TEA", 418]);
  assert.deepEqual(got.detail, { at: [1, 2] });
  assert.ok(got.cause instanceof Error);
  assert.deepEqual([got.cause.message, got.cause.cause, got.cause.stack], ["deeper", "deepest", cause.stack]);
  for (const Class of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
    const error = channel.send(new Class("m"));
    assert.equal(Object.getPrototypeOf(error), Class.prototype);
    assert.deepEqual([error.name, error.message, Object.hasOwn(error, "name"), Object.hasOwn(error, "cause")], [Class.name, "m", false, false]);
    assert.deepEqual(Object.keys(error), []);
  }
  const aggregate = channel.send(new AggregateError([new RangeError("one"), 2], "all"));
  assert.ok(aggregate instanceof AggregateError);
  assert.ok(aggregate.errors[0] instanceof RangeError);
  assert.equal(aggregate.errors[1], 2);
  assert.equal(Object.hasOwn(channel.send(new Error()), "message"), false);
  assert.ok(Object.hasOwn(channel.send(new Error("x", { cause: undefined })), "cause"));
});

test("an error's limit of stack frames is left alone", () => {
  const before = Error.stackTraceLimit;
  new Channel().send(new Error("x"));
  assert.equal(Error.stackTraceLimit, before);
});

test("each property is read once, in order", () => {
  const reads: string[] = [];
  const value = {
    get a() {
      reads.push("a");
      return 1;
    },
    get b() {
      reads.push("b");
      return { deep: "x" };
    },
  };
  const channel = new Channel();
  for (let i = 0; i < 60; i++) {
    reads.length = 0;
    assert.deepStrictEqual(channel.send(value), { a: 1, b: { deep: "x" } });
    assert.deepEqual(reads, ["a", "b"]);
  }
});

test("an accessor may use the same encoder in the middle of a message", () => {
  const channel = new Channel();
  const inner = new ByteBuffer(new ArrayBuffer(64));
  let busy = false;
  let end = 0;
  const value = {
    before: { x: "text before" },
    get middle() {
      busy = channel.encoder.busy;
      end = channel.encoder.encode({ before: { x: "other" }, list: [1, { x: "deep" }] }, inner, 8);
      return "in between";
    },
    after: { x: "text after" },
  };
  for (let i = 0; i < 40; i++) {
    assert.deepStrictEqual(channel.send(value), { before: { x: "text before" }, middle: "in between", after: { x: "text after" } });
    assert.equal(busy, true);
    assert.equal(channel.encoder.busy, false);
    assert.deepStrictEqual(channel.decoder.decode(inner, 8, end - 8), { before: { x: "other" }, list: [1, { x: "deep" }] });
  }
});

test("what an accessor throws comes through, and the encoder goes on", () => {
  const channel = new Channel();
  const boom = new Error("boom");
  const value = {
    get x(): never {
      throw boom;
    },
  };
  assert.throws(() => channel.bytes([1, value]), (error) => error === boom);
  assert.deepStrictEqual(channel.send([1, { y: 2 }]), [1, { y: 2 }]);
});

test("enumerable properties of Object.prototype are not taken for an object's own", () => {
  const channel = new Channel();
  for (let i = 0; i < 3; i++) channel.send([{ a: 1, polluted: 2 }, { a: 1, polluted: 2 }]);
  Object.defineProperty(Object.prototype, "polluted", { value: "bad", enumerable: true, configurable: true, writable: true });
  try {
    const got = channel.send([{ a: 1, polluted: 2 }, { a: 1 }]);
    assert.deepEqual(Object.keys(got[1]), ["a"]);
  } finally {
    delete (Object.prototype as { polluted?: unknown }).polluted;
  }
});

test("decoding never runs setters of Object.prototype", () => {
  const channel = new Channel();
  const bytes = channel.bytes([{ trap: 1 }, { trap: 2 }]);
  let ran = 0;
  Object.defineProperty(Object.prototype, "trap", { set: () => ran++, configurable: true });
  try {
    const got = channel.read(bytes) as object[];
    assert.ok(got.every((object) => Object.hasOwn(object, "trap")));
  } finally {
    delete (Object.prototype as { trap?: unknown }).trap;
  }
  assert.equal(ran, 0);
});

test("an object's symbols, inherited and hidden properties stay behind", () => {
  const value = Object.defineProperty({ shown: 1, [Symbol("s")]: 2 }, "hidden", { value: 3 });
  assert.deepEqual(Reflect.ownKeys(new Channel().send(value)), ["shown"]);
});

test("a small received typed array owns its whole buffer", () => {
  const window = new Uint8Array(new ArrayBuffer(1000), 100, 5);
  assert.equal(new Channel().send(window).buffer.byteLength, 5);
  const { Buffer } = globalThis as unknown as { Buffer?: { from(text: string): Uint8Array; isBuffer(x: unknown): boolean } };
  if (Buffer !== undefined) {
    const got = new Channel().send(Buffer.from("hello"));
    assert.ok(Buffer.isBuffer(got));
    assert.equal(got.buffer.byteLength, 5);
  }
});

test("a message may begin anywhere at a whole slot, beside others", () => {
  const out = new ByteBuffer(new ArrayBuffer(64));
  const encoder = new Encoder(null);
  const decoder = new Decoder(null);
  const values = [1, "text", { a: [1, "b"] }, undefined, new Date(3), "é".repeat(50), 2n ** 70n];
  const ends: number[] = [];
  const starts: number[] = [];
  let at = 0;
  for (const value of values) {
    starts.push(at);
    const end = encoder.encode(value, out, at);
    ends.push(end);
    at = (end + 7) & ~7;
  }
  values.forEach((value, i) => assert.deepStrictEqual(decoder.decode(out, starts[i], ends[i] - starts[i]), value));
});
