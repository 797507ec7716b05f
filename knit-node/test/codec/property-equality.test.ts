/**
 * The equality that the tests of values rely on sees every difference, and none where there is none.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { parameters, recipes } from "./property-recipes.ts";
import { Envelope } from "../../ts/api/envelope.ts";
import { build } from "../fixtures/recipe.ts";
import { difference } from "../fixtures/difference.ts";

interface Loop {
  self?: unknown;
}

function loop(turns: number): Loop {
  const first: Loop = {};
  let last = first;
  for (let i = 1; i < turns; i++) last = last.self = {} as Loop;
  last.self = first;
  return first;
}

function shared(once: boolean): object {
  const one = { x: 1 };
  return { a: one, b: once ? one : { x: 1 } };
}

function error(change: (error: Error & Record<string, unknown>) => void, made: Error = new RangeError("text", { cause: 1 })): Error {
  made.stack = "where";
  change(made as Error & Record<string, unknown>);
  return made;
}

function property(object: object, key: PropertyKey, descriptor: PropertyDescriptor): object {
  return Object.defineProperty(object, key, { value: 1, writable: true, enumerable: true, configurable: true, ...descriptor });
}

class Mine extends TypeError {}
class MineRenamed extends Error {
  override name = "Mine";
}
const bytes = (...items: number[]): Uint8Array => new Uint8Array(items);

/** What arrived, what was sent. */
const DIFFERENT: readonly (readonly [name: string, arrived: unknown, sent: unknown])[] = [
  ["-0 as 0", 0, -0], ["0 as -0", -0, 0], ["NaN as undefined", undefined, NaN], ["a number as its text", "1", 1], ["null as undefined", undefined, null], ["false as null", null, false],
  ["a bigint as a number", 1, 1n], ["another bigint", 2n ** 70n + 1n, 2n ** 70n], ["another string", "a\ufffd", "a\ud800"], ["another symbol", Symbol.for("a"), Symbol.for("b")],
  ["a boxed number", Object(1), 1], ["an object as null", null, {}], ["a missing property", {}, { a: undefined }], ["a property more", { a: 1, b: undefined }, { a: 1 }], ["another key", { b: 1 }, { a: 1 }],
  ["another order", { b: 1, a: 1 }, { a: 1, b: 1 }], ["a symbol more", { [Symbol.for("s")]: 1 }, {}], ["a hidden property more", property({}, "a", { enumerable: false }), {}],
  ["a hidden property", property({}, "a", { enumerable: false }), { a: 1 }], ["a constant property", property({}, "a", { writable: false }), { a: 1 }], ["a property that stays", property({}, "a", { configurable: false }), { a: 1 }],
  ["an accessor", Object.defineProperty({}, "a", { get: () => 1, enumerable: true, configurable: true }), { a: 1 }],
  ["a prototype for none", {}, Object.create(null)], ["none for a prototype", Object.create(null), {}], ["an instance", new (class {})(), {}], ["an assigned __proto__", Object.setPrototypeOf({}, { x: 1 }), JSON.parse('{"__proto__":{"x":1}}')],
  ["undefined for a hole", [undefined], [,]], ["a hole for undefined", [,], [undefined]], ["a shorter array", [1], [1, ,]], ["a longer array", [1, ,], [1]], ["an object for an array", { 0: 1, length: 1 }, [1]],
  ["an array with a property", Object.assign([1], { x: 1 }), [1]], ["a derived array", new (class extends Array<number> {})(), []], ["another item", [1, 2], [1, 3]], ["an array that is none", Object.create(Array.prototype), []],
  ["another key of a map", new Map([[1, 1]]), new Map([[2, 1]])], ["another value of a map", new Map([[1, 1]]), new Map([[1, 2]])], ["another order of a map", new Map([[1, 1], [2, 2]]), new Map([[2, 2], [1, 1]])],
  ["a smaller map", new Map(), new Map([[1, 1]])], ["a set for a map", new Set(), new Map()], ["another order of a set", new Set([1, 2]), new Set([2, 1])], ["a smaller set", new Set([1]), new Set([1, 2])], ["a larger set", new Set([1, 2]), new Set([1])],
  ["another date", new Date(1), new Date(2)], ["a date for an invalid one", new Date(0), new Date(NaN)], ["another source", /a/, /b/], ["other flags", /a/g, /a/], ["another lastIndex", Object.assign(/a/g, { lastIndex: 1 }), /a/g],
  ["another url", new URL("http://a/"), new URL("http://b/")], ["another byte", bytes(1, 2), bytes(1, 3)], ["fewer bytes", bytes(1), bytes(1, 2)], ["another type of the same bytes", new Int8Array([1]), bytes(1)],
  ["bytes for a Buffer", bytes(1), Buffer.from([1])], ["a Buffer for bytes", new Uint8Array(Buffer.from([1])).buffer, bytes(1)], ["a Buffer over more", Buffer.from(new ArrayBuffer(9), 1, 1), Buffer.from([0])],
  ["a window", bytes(9, 1).subarray(1), bytes(1)], ["a buffer that shows more", new Uint8Array(new ArrayBuffer(9), 0, 1), new Uint8Array(1)], ["another buffer", bytes(1).buffer, bytes(2).buffer], ["a longer buffer", new ArrayBuffer(2), new ArrayBuffer(1)],
  ["another NaN", new Uint8Array(new Uint32Array([0x7fc00001]).buffer), new Uint8Array(new Float32Array([NaN]).buffer)], ["a view that calls itself another", Object.setPrototypeOf(new Int8Array(1), Uint8Array.prototype), bytes(0)], ["a view for a DataView", bytes(1), new DataView(new ArrayBuffer(1))], ["an array buffer that is none", Object.create(ArrayBuffer.prototype), new DataView(new ArrayBuffer(0))],
  ["another header", new Envelope(1, 2), new Envelope(2, 2)], ["another body", new Envelope(1, 1), new Envelope(1, 2)], ["an object for an envelope", { header: 1, body: 2 }, new Envelope(1, 2)],
  ["two objects for one", shared(false), shared(true)], ["one object for two", shared(true), shared(false)], ["a longer cycle", loop(3), loop(2)], ["a shorter cycle", loop(2), loop(3)],
  ["another class", error(() => {}, new TypeError("text", { cause: 1 })), error(() => {})], ["an object for an error", { message: "text" }, error(() => {})], ["another name", error((e) => (e.name = "X")), error(() => {})],
  ["another message", error((e) => (e.message = "X")), error(() => {})], ["a message more", error(() => {}, new Error("")), error(() => {}, new Error())], ["a message less", error(() => {}, new Error()), error(() => {}, new Error(""))],
  ["another stack", error((e) => (e.stack = "X")), error(() => {})], ["no stack", error((e) => delete e.stack), error(() => {})], ["another cause", error((e) => (e.cause = 2)), error(() => {})], ["no cause", error((e) => delete e.cause), error((e) => (e.cause = undefined))],
  ["a cause more", error(() => {}, new Error("", { cause: undefined })), error(() => {}, new Error(""))], ["another code", error((e) => (e["code"] = 1)), error((e) => (e["code"] = 2))], ["no code", error(() => {}), error((e) => (e["code"] = undefined))],
  ["other errors", error(() => {}, new AggregateError([1])), error(() => {}, new AggregateError([2]))], ["no errors", error(() => {}), error((e) => (e["errors"] = []))], ["a property more of an error", error((e) => (e["x"] = 1)), error(() => {})],
  ["a property less of an error", error(() => {}), error((e) => (e["x"] = 1))], ["another property of an error", error((e) => (e["x"] = [1])), error((e) => (e["x"] = [2]))],
  ["its own class for an error of one's own", error(() => {}, new Mine("text")), error(() => {}, new Mine("text"))], ["the built-in class for one's own", error(() => {}, new TypeError("text")), error(() => {}, new Mine("text"))],
  ["a class without the name", error(() => {}, new Error("text")), error(() => {}, new MineRenamed("text"))], ["a cycle cut", error((e) => (e.cause = error(() => {}))), error((e) => (e.cause = e))],
];

test("every difference is seen, at the top and inside", () => {
  const missed: string[] = [];
  for (const [name, arrived, sent] of DIFFERENT) {
    const places: readonly ((value: unknown) => unknown)[] = [(v) => v, (v) => [v], (v) => ({ v }), (v) => new Map([[v, 1]]), (v) => new Map([[1, v]]), (v) => new Set([v]), (v) => new Envelope(v, v)];
    places.forEach((place, i) => {
      // As the only member of a set, or as a key, 0 and -0 are the same.
      if (sent === 0 && arrived === 0 && (i === 3 || i === 5)) return;
      if (difference(place(arrived), place(sent)) === null) missed.push(`${name}, in place ${i}`);
    });
    if (difference(error((e) => (e.cause = arrived)), error((e) => (e.cause = sent))) === null) missed.push(`${name}, as a cause`);
  }
  assert.deepEqual(missed, []);
});

test("what was sent is told from a copy", () => {
  for (const value of [{}, [], new Map(), new Date(0), new ArrayBuffer(1), error(() => {})]) assert.match(String(difference(value, value)), /very object/);
  const memory = new ArrayBuffer(4);
  assert.match(String(difference(new Uint8Array(memory), new Uint8Array(memory))), /over the memory/);
});

test("equal values are equal", () => {
  const shapes: readonly (() => unknown)[] = [() => shared(true), () => shared(false), () => loop(3), () => [, undefined, -0, NaN], () => error((e) => (e["code"] = undefined)), () => Object.create(null)];
  for (const make of shapes) assert.equal(difference(make(), make()), null);
  assert.equal(difference(error((e) => (e.name = "Mine"), new Error("text")), error(() => {}, new MineRenamed("text"))), null);
  assert.equal(difference(error((e) => (e.name = "TypeError"), new Error("text")), error(() => {}, new Mine("text"))), null);
});

/** As it would arrive: views own their memory, and errors of one's own classes have become plain. */
function isDirect(text: string): boolean {
  return !/"(window|binary)"|"Own\w*Error"/.test(text);
}

test("a recipe makes equal values, and recipes that differ do not", () => {
  let different = 0;
  fc.assert(
    fc.property(recipes, recipes, (one, other) => {
      const text = JSON.stringify(one);
      if (isDirect(text)) assert.equal(difference(build(one), build(JSON.parse(text) as typeof one)), null);
      if (difference(build(one), build(other)) !== null) different++;
    }),
    parameters(200),
  );
  // Nodes that nothing reaches, and leaves, may make different recipes mean the same.
  assert.ok(different > 150, `${different} of 200`);
});

test("recipes reach every kind of value, sharing, and cycles", () => {
  const kinds = new Set<string>();
  const note = (value: unknown, inside: Set<unknown>, met: Set<unknown>): void => {
    if (typeof value !== "object" || value === null) return void kinds.add(typeof value);
    if (inside.has(value)) kinds.add("a cycle");
    else if (met.has(value)) kinds.add("shared");
    if (met.has(value)) return;
    met.add(value);
    const within = new Set(inside).add(value);
    const prototype = Object.getPrototypeOf(value) as object | null;
    kinds.add(prototype === null ? "null prototype" : prototype.constructor.name);
    if (Array.isArray(value) && Object.keys(value).length < value.length) kinds.add("holes");
    if (Object.hasOwn(value, "__proto__")) kinds.add("__proto__");
    if (ArrayBuffer.isView(value)) return;
    const items: unknown[] = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : value instanceof Error ? [value.cause, ...Object.values(value)] : Object.values(value);
    items.forEach((item) => note(item, within, met));
  };
  for (const recipe of fc.sample(recipes, { numRuns: 2000, seed: 7 })) note(build(recipe), new Set(), new Set());
  const wanted = "number,string,bigint,symbol,boolean,undefined,Object,null prototype,Array,holes,__proto__,a cycle,shared,Map,Set,Date,RegExp,URL,Envelope,ArrayBuffer,DataView,Buffer,Error,AggregateError,OwnError,OwnTypeError,URIError";
  const views = "Int8Array,Uint8Array,Uint8ClampedArray,Int16Array,Uint16Array,Int32Array,Uint32Array,Float32Array,Float64Array,BigInt64Array,BigUint64Array";
  assert.deepEqual([...wanted.split(","), ...views.split(",")].filter((kind) => !kinds.has(kind)), []);
});
