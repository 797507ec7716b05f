/**
 * What cannot travel is refused with its path and code, and nothing else is damaged.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { Channel } from "./support.ts";
import { UnsupportedValueError } from "../../ts/api/errors.ts";
import { DEFAULT_LIMITS } from "../../ts/codec/format.ts";

class Mine {
  x = 1;
}
class MyMap extends Map<unknown, unknown> {}
class MyArray extends Array<unknown> {}
class MyBytes extends Uint8Array {}

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

function refusal(value: unknown, root?: string): UnsupportedValueError {
  const channel = new Channel(root === undefined ? {} : { encoder: { root } });
  try {
    channel.bytes(value);
  } catch (error) {
    assert.ok(error instanceof UnsupportedValueError, String(error));
    assert.ok(error instanceof Error && error.stack !== undefined);
    assert.equal(error.name, "UnsupportedValueError");
    assert.ok(error.message.includes(error.path) && error.message.includes(error.kind));
    // The encoder works on.
    assert.deepStrictEqual(channel.send({ a: [1, "b", new Map([[1, { c: 2 }]])] }), { a: [1, "b", new Map([[1, { c: 2 }]])] });
    return error;
  }
  throw new assert.AssertionError({ message: "was not refused" });
}

const onClick = (): void => {};

const KINDS: [string, unknown, string, RegExp][] = [
  ["a function", onClick, "KNT_ERROR_0", /^function onClick$/],
  ["a class", Mine, "KNT_ERROR_0", /^function Mine$/],
  ["a local symbol", Symbol("s"), "KNT_ERROR_1", /local symbol/],
  ["a well-known symbol", Symbol.iterator, "KNT_ERROR_1", /local symbol/],
  ["an instance of a class", new Mine(), "KNT_ERROR_3", /^instance of Mine$/],
  ["a derived map", new MyMap(), "KNT_ERROR_3", /MyMap/],
  ["a derived array", new MyArray(), "KNT_ERROR_3", /MyArray/],
  ["a derived typed array", new MyBytes(2), "KNT_ERROR_3", /MyBytes/],
  ["a weak map", new WeakMap(), "KNT_ERROR_3", /^WeakMap$/],
  ["a weak set", new WeakSet(), "KNT_ERROR_3", /^WeakSet$/],
  ["a weak reference", new WeakRef({}), "KNT_ERROR_3", /^WeakRef$/],
  ["a promise", Promise.resolve(1), "KNT_ERROR_3", /^Promise$/],
  ["a generator", (function* () {})(), "KNT_ERROR_3", /./],
  ["a boxed number", new Number(1), "KNT_ERROR_3", /^Number$/],
  ["a boxed string", new String("s"), "KNT_ERROR_3", /^String$/],
  ["a stream", new ReadableStream(), "KNT_ERROR_3", /^ReadableStream$/],
  ["a signal", new AbortController().signal, "KNT_ERROR_3", /^AbortSignal$/],
  ["shared memory without a way to send it", new SharedArrayBuffer(8), "KNT_ERROR_3", /^SharedArrayBuffer$/],
  ["a view of shared memory without a way to send it", new Int32Array(new SharedArrayBuffer(8)), "KNT_ERROR_3", /^Int32Array of a SharedArrayBuffer$/],
  ["a fake date", Object.create(Date.prototype), "KNT_ERROR_2", /Date/],
  ["a fake map", Object.create(Map.prototype), "KNT_ERROR_2", /Map/],
  ["a fake set", Object.create(Set.prototype), "KNT_ERROR_2", /Set/],
  ["a fake regexp", Object.create(RegExp.prototype), "KNT_ERROR_2", /RegExp/],
  ["a fake url", Object.create(URL.prototype), "KNT_ERROR_2", /URL/],
  ["a fake buffer", Object.create(ArrayBuffer.prototype), "KNT_ERROR_2", /ArrayBuffer/],
  ["a fake typed array", Object.create(Int8Array.prototype), "KNT_ERROR_2", /Int8Array/],
  ["a detached buffer", detached(), "KNT_ERROR_2", /detached/],
  ["a detached view", new Uint8Array(detachedView()), "KNT_ERROR_2", /detached/],
];

function detachedView(): ArrayBuffer {
  return new ArrayBuffer(0);
}

for (const [name, value, code, kind] of KINDS) {
  test(`${name} is refused wherever it is`, () => {
    let item = value;
    if (name === "a detached view") {
      const view = new Uint8Array(8);
      structuredClone(view.buffer, { transfer: [view.buffer] });
      item = view;
    }
    const places: [unknown, string][] = [
      [item, "arg"],
      [[item], "arg[0]"],
      [{ a: 1, b: item }, "arg.b"],
      [{ users: [1, 2, 3, { onClick: item }] }, "arg.users[3].onClick"],
      [{ "odd key": [[item]] }, 'arg["odd key"][0][0]'],
      [new Map([["k", item]]), 'arg.get("k")'],
      [new Map([[item, 1]]), "arg.keys()[0]"],
      [new Set([1, item]), "arg.values()[1]"],
      [Object.assign(new Error("e"), { extra: item }), "arg.extra"],
      [new Error("e", { cause: item }), "arg.cause"],
    ];
    for (const [whole, path] of places) {
      const error = refusal(whole);
      assert.equal(error.path, path);
      assert.equal(error.code, code);
      assert.match(error.kind, kind);
    }
  });
}

test("the root of a path is named by the owner", () => {
  assert.equal(refusal({ f: onClick }, "result").path, "result.f");
});

test("a refused value deep in a cycle is found", () => {
  const value: { self?: unknown; list: unknown[] } = { list: [] };
  value.self = value;
  value.list.push(value, { bad: onClick });
  assert.equal(refusal(value).path, "arg.list[1].bad");
});

test("nesting up to the limit travels, deeper is refused", () => {
  const nest = (levels: number): unknown => {
    let value: unknown = "x";
    for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { value };
    return value;
  };
  const channel = new Channel();
  assert.deepStrictEqual(channel.send(nest(1000)), nest(1000));
  assert.throws(() => channel.bytes(nest(1001)), { name: "UnsupportedValueError", code: "KNT_ERROR_3", path: "arg" });
  assert.throws(() => channel.bytes(nest(500_000)), { name: "UnsupportedValueError", code: "KNT_ERROR_3" });
  // With no limit of ours, the stack is one.
  const unlimited = new Channel({ limits: { maxDepth: 2 ** 30, maxBytes: 2 ** 30 } });
  assert.throws(() => unlimited.bytes(nest(500_000)), { name: "UnsupportedValueError", code: "KNT_ERROR_3" });
  assert.deepStrictEqual(unlimited.send([1, { a: 2 }]), [1, { a: 2 }]);
});

test("a value over the limit of bytes is refused, and says limit and size", () => {
  const channel = new Channel({ limits: { ...DEFAULT_LIMITS, maxBytes: 1000 } });
  const large: unknown[] = ["x".repeat(2000), "é".repeat(800), Array.from({ length: 300 }, (_, i) => `${i}`), new Uint8Array(5000), 2n ** 20_000n, { a: "y".repeat(999) }];
  large.push(Array.from({ length: 2000 }, (_, i) => i), new Map(Array.from({ length: 900 }, (_, i) => [i, { i }])));
  for (const value of large) {
    assert.throws(() => channel.bytes(value), (error: unknown) => {
      assert.ok(error instanceof UnsupportedValueError);
      assert.equal(error.code, "KNT_ERROR_3");
      assert.match(error.message, /1000/);
      return true;
    });
    assert.deepStrictEqual(channel.send(["z".repeat(500)]), ["z".repeat(500)]);
  }
});

test("an object with more keys than a shape may have is refused", () => {
  const wide = Object.fromEntries(Array.from({ length: 65_536 }, (_, i) => [`k${i}`, 1]));
  assert.equal(refusal({ wide }).path, "arg.wide");
  delete wide["k7"];
  assert.deepEqual(Object.keys(new Channel().send(wide)).length, 65_535);
});

test("a revoked proxy is refused wherever it is", () => {
  const places: readonly (readonly [(value: unknown) => unknown, string])[] = [
    [(value) => value, "arg"],
    [(value) => ({ a: 1, value }), "arg.value"],
    [(value) => [new Map([["k", new Error("e", { cause: value })]])], 'arg[0].get("k").cause'],
  ];
  for (const [place, path] of places) {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const error = refusal(place(proxy));
    assert.deepEqual([error.path, error.code], [path, "KNT_ERROR_2"]);
  }
});

test("a TypeError that an accessor throws is its own", () => {
  const why = new TypeError("mine");
  const value = {
    get broken(): never {
      throw why;
    },
  };
  assert.throws(() => new Channel().bytes([value]), (error) => error === why);
});
