/**
 * Every value of the contract arrives as it left, at the root and nested, the first time and when shapes are known.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { Channel, SETUPS } from "./support.ts";
import { Envelope } from "../../ts/api/envelope.ts";

function nullPrototype(entries: object): object {
  return Object.assign(Object.create(null) as object, entries);
}

function typedArrays(): object[] {
  const names = ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float32Array", "Float64Array", "Float16Array"];
  const made: object[] = [];
  for (const name of names) {
    const Class = (globalThis as unknown as Record<string, (new (items: number[]) => object) | undefined>)[name];
    if (Class !== undefined) made.push(new Class([1, 2, 250]), new Class([]));
  }
  made.push(new BigInt64Array([-1n, 2n ** 62n]), new BigUint64Array([2n ** 64n - 1n]));
  return made;
}

const NUMBERS = [0, -0, 1, -1, 0.5, NaN, Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER, 2 ** 31, -(2 ** 31), 1e308];
const BIGINTS = [0n, 1n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 64n, 2n ** 64n - 1n, 2n ** 67n + 5n, -(2n ** 67n), 2n ** 128n, 2n ** 1024n - 1n, 2n ** 1024n, -(3n ** 3000n)];
const STRINGS = [
  "", "a", "hello", "x".repeat(31), "x".repeat(32), "x".repeat(33), "x".repeat(49), "y".repeat(5000), "é", "日本語", "😀", "a\0b", "\uFEFFbom", "z".repeat(300) + "é",
  "😀".repeat(3000), "é".repeat(70_000), "\ud800", "\udc00x", "a\ud83d", "ok" + "\udfff".repeat(100), "\ud800".repeat(9000), "__proto__", "\u2028\u2029", "\x7f", "\x80", "ÿ".repeat(20),
];

function values(): [string, unknown][] {
  const list: [string, unknown][] = [
    ["undefined", undefined], ["null", null], ["true", true], ["false", false],
    ["a registered symbol", Symbol.for("knit.test")],
    ["a date", new Date(1_700_000_000_123)],
    ["a regexp", /a\/b(?<n>c)/giu],
    ["a map", new Map<unknown, unknown>([["k", 1], [{ o: 1 }, "v"], [NaN, [1]]])], ["a set", new Set<unknown>([1, "two", { three: 3 }])],
    ["an empty map", new Map()], ["an empty set", new Set()],
    ["an empty object", {}], ["an object", { msg: "hello", id: 7 }], ["undefined kept", { a: undefined, b: null }],
    ["a null-prototype object", nullPrototype({ a: 1, b: "x" })], ["an empty null-prototype object", nullPrototype({})],
    ["integer-like keys", { 2: "b", 1: "a", z: 0, "-1": 1 }], ["odd keys", { "": 1, "a b": 2, "\ud800": 3, 'q"\\': 4, "日": 5, "\u2028": 6 }],
    ["inherited names as keys", { toString: 1, constructor: 2, hasOwnProperty: "x" }],
    ["an array", [1, "two", null, undefined, true, [3]]], ["an empty array", []], ["numbers", [1, 2.5, -0, NaN, Infinity]], ["small integers", [1, 2, 3]],
    ["many numbers", Array.from({ length: 10_000 }, (_, i) => i / 2)], ["many values", Array.from({ length: 9000 }, (_, i) => (i % 3 ? i : `s${i}`))],
    ["nested records", Array.from({ length: 12 }, (_, i) => ({ id: i, name: `user ${i}`, tags: ["a", "b"], address: { city: "Zürich", zip: 8000 + i }, active: i % 2 === 0 }))],
    ["many nested records", Array.from({ length: 700 }, (_, i) => ({ id: i, name: `user ${i}`, inner: { i, list: [i, `${i}`] } }))],
    ["a wide object", Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key${i}`, i]))],
    ["a dictionary", Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`id-${i}`, `v${i}`]))],
    ["an array buffer", new Uint8Array([1, 2, 3, 4, 5]).buffer], ["a data view", new DataView(new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).buffer, 1, 6)],
    ["a window on a buffer", new Int32Array(new ArrayBuffer(64), 8, 3)], ["a large typed array", new Uint8Array(200_000).map((_, i) => i)],
    ["a url", new URL("https://user@example.com:8080/a?b=c#d")], ["an envelope", new Envelope({ kind: "h" }, [1, { x: "y" }])],
  ];
  for (const v of NUMBERS) list.push([`number ${Object.is(v, -0) ? "-0" : v}`, v]);
  for (const v of BIGINTS) list.push([`bigint of ${v.toString(2).length} bits${v < 0n ? ", negative" : ""}`, v]);
  STRINGS.forEach((v, i) => list.push([`string ${i} of ${v.length} units`, v]));
  for (const v of typedArrays()) list.push([`${v.constructor.name} of ${(v as Uint8Array).length}`, v]);
  const { Buffer } = globalThis as unknown as { Buffer?: { from(items: number[]): object } };
  if (Buffer !== undefined) list.push(["a Buffer", Buffer.from([1, 2, 3])]);
  return list;
}

/** Strict in what `deepStrictEqual` leaves open: identity of prototypes, order of keys, own memory. */
function same(actual: unknown, expected: unknown): void {
  assert.deepStrictEqual(actual, expected);
  if (typeof expected !== "object" || expected === null) {
    assert.ok(Object.is(actual, expected));
    return;
  }
  assert.equal(Object.getPrototypeOf(actual), Object.getPrototypeOf(expected));
  assert.notEqual(actual, expected);
  if (ArrayBuffer.isView(expected)) assert.equal((actual as Uint8Array).buffer.byteLength, expected.byteLength);
  else assert.deepEqual(Object.keys(actual as object), Object.keys(expected));
  if (expected instanceof URL) assert.equal((actual as URL).href, expected.href);
}

test("an invalid date arrives as one", () => {
  const channel = new Channel();
  for (const got of [channel.send(new Date(NaN)), channel.send([new Date(NaN)])[0]]) {
    assert.ok(got instanceof Date);
    assert.ok(Number.isNaN(got.getTime()));
  }
});

test("an empty regexp arrives as one", () => {
  const got = new Channel().send(new RegExp("", "g"));
  assert.deepEqual([got.source, got.flags, got.lastIndex], ["(?:)", "g", 0]);
});

for (const [setup, options] of SETUPS) {
  test(`every value arrives as it left, ${setup}`, () => {
    const channel = new Channel(options);
    for (const [name, value] of values()) {
      // Twice and more: shapes are sent by number from the second time, and read by generated code later.
      for (let round = 0; round < 4; round++) {
        try {
          same(channel.send(value), value);
          same(channel.send([value])[0], value);
          same(channel.send({ a: 1, value, z: "end" }).value, value);
          same(channel.send(new Map([[1, value]])).get(1), value);
          assert.deepStrictEqual(channel.send({ left: value, right: [value, "text"] }), { left: value, right: [value, "text"] });
        } catch (error) {
          throw new Error(`${name}, round ${round}`, { cause: error });
        }
      }
    }
  });

  test(`an object sent a thousand times arrives every time, ${setup}`, () => {
    const channel = new Channel(options);
    for (let i = 0; i < 1000; i++) {
      const value = { id: i, name: `n${i}`, deep: [{ x: i, ["__proto__"]: i }, { x: "s", ["__proto__"]: null }], ok: i % 2 === 0 };
      const got = channel.send(value);
      assert.deepStrictEqual(got, value);
      assert.ok(Object.hasOwn(got.deep[0], "__proto__"));
      assert.equal(Object.getPrototypeOf(got.deep[0]), Object.prototype);
    }
  });
}
