/**
 * A value that cannot travel rejects the one call it belongs to, with its path, kind and code; nothing else changes.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { UnsupportedValueError, WorkerCrashedError } from "../../ts/index.ts";
import { echo, whoAmI } from "../fixtures/basic.ts";
import { returns, returnsLater } from "../fixtures/refused.ts";
import { reason, withPool } from "./support.ts";

class Account {
  balance = 1;
}

const ARGUMENTS: readonly (readonly [unknown, code: string, path: string, kind: RegExp])[] = [
  [() => 1, "KNT_ERROR_0", "arg", /function/],
  [{ users: [{}, {}, {}, { onClick() {} }] }, "KNT_ERROR_0", "arg.users[3].onClick", /function onClick/],
  [{ "a b": () => 1 }, "KNT_ERROR_0", 'arg["a b"]', /function/],
  [new Map([["k", Account]]), "KNT_ERROR_0", 'arg.get("k")', /function Account/],
  [Symbol("local"), "KNT_ERROR_1", "arg", /local symbol/],
  [[1, [Symbol.iterator]], "KNT_ERROR_1", "arg[1][0]", /Symbol\.iterator/],
  [new WeakMap(), "KNT_ERROR_3", "arg", /WeakMap/],
  [{ ref: new WeakRef({}) }, "KNT_ERROR_3", "arg.ref", /WeakRef/],
  [{ account: new Account() }, "KNT_ERROR_3", "arg.account", /instance of Account/],
  [{ later: Promise.resolve(1) }, "KNT_ERROR_3", "arg.later", /Promise/],
  [[new ReadableStream()], "KNT_ERROR_3", "arg[0]", /ReadableStream/],
  [{ cause: new Error("e", { cause: () => 1 }) }, "KNT_ERROR_0", "arg.cause.cause", /function/],
];

test("a refused argument rejects that one call, with path, kind and code", () =>
  withPool({}, { echo }, async ({ call }) => {
    for (const [value, code, path, kind] of ARGUMENTS) {
      const before = call.echo("before");
      const refused = call.echo(value);
      const after = call.echo({ after: true });
      const error = await reason(refused);
      assert.ok(error instanceof UnsupportedValueError, path);
      assert.deepEqual({ code: error.code, path: error.path }, { code, path });
      assert.match(error.kind, kind);
      assert.ok(error.message.includes(path) && error.message.includes(error.kind));
      assert.match(error.stack!, /^UnsupportedValueError: /);
      assert.deepEqual(await Promise.all([before, after]), ["before", { after: true }]);
    }
  }));

test("a detached buffer as argument rejects that one call", () =>
  withPool({}, { echo }, async ({ call }) => {
    const bytes = new Uint8Array(8);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    const error = await reason(call.echo({ bytes }));
    assert.ok(error instanceof UnsupportedValueError);
    assert.deepEqual({ code: error.code, path: error.path }, { code: "KNT_ERROR_2", path: "arg.bytes" });
    assert.equal(await call.echo(1), 1);
  }));

test("what an accessor of an argument throws rejects that one call", () =>
  withPool({}, { echo }, async ({ call }) => {
    const why = new RangeError("no value here");
    const broken = {
      first: "written before",
      get second(): never {
        throw why;
      },
    };
    const [before, error, after] = await Promise.all([call.echo(1), reason(call.echo(broken)), call.echo(2)]);
    assert.equal(error, why);
    assert.deepEqual([before, after], [1, 2]);
  }));

test("an argument nested too deeply is refused, and what is within the limit arrives", () =>
  withPool({}, { echo }, async ({ call }) => {
    const nest = (depth: number): unknown => {
      let value: unknown = "bottom";
      for (let i = 0; i < depth; i++) value = [value];
      return value;
    };
    let got = await call.echo(nest(100));
    for (let i = 0; i < 100; i++) got = (got as unknown[])[0];
    assert.equal(got, "bottom");
    const error = await reason(call.echo(nest(100_000)));
    assert.ok(error instanceof UnsupportedValueError);
    assert.equal(error.code, "KNT_ERROR_3");
    assert.match(error.message, /deeper/);
    assert.equal(await call.echo(1), 1);
  }));

test("a refused call leaves no unhandled rejection and no open call behind", () =>
  withPool({}, { echo }, async ({ call }) => {
    const all = await Promise.allSettled(Array.from({ length: 10_000 }, (_, i) => call.echo(i % 2 ? () => i : i)));
    all.forEach((one, i) => assert.equal(one.status, i % 2 ? "rejected" : "fulfilled"));
  }));

const RESULTS: readonly (readonly [name: string, code: string, path: string])[] = [
  ["a function", "KNT_ERROR_0", "result.users[1].onClick"],
  ["a local symbol", "KNT_ERROR_1", "result[0]"],
  ["an instance", "KNT_ERROR_3", "result.account"],
  ["a weak map", "KNT_ERROR_3", "result"],
  ["a nested promise", "KNT_ERROR_3", "result.later"],
];

test("a refused result rejects its call, with path and code, and the worker lives on", () =>
  withPool({}, { returns, returnsLater, whoAmI }, async ({ call }) => {
    const id = await call.whoAmI();
    for (const run of [call.returns, call.returnsLater]) {
      for (const [name, code, path] of RESULTS) {
        const error = await reason(run(name));
        assert.ok(error instanceof UnsupportedValueError, name);
        assert.deepEqual({ code: error.code, path: error.path }, { code, path });
      }
    }
    assert.equal(await call.whoAmI(), id);
  }));

test("a result that throws while it is read rejects its call with what it threw, and the worker lives on", () =>
  withPool({}, { returns, returnsLater, whoAmI }, async ({ call }) => {
    const id = await call.whoAmI();
    const expected: Record<string, string> = {
      "an accessor that throws": "no value here",
      "a then that throws": "no then here",
      "a thenable that throws": "then threw",
    };
    for (const [name, message] of Object.entries(expected)) {
      for (const run of [call.returns, call.returnsLater]) {
        const error = await reason(run(name));
        assert.ok(error instanceof RangeError, `${name}: ${String(error)}`);
        assert.equal(error.message, message);
      }
    }
    for (const name of ["an accessor that throws a function", "a promise whose constructor throws"]) {
      assert.ok(!((await reason(call.returns(name))) instanceof WorkerCrashedError), name);
    }
    assert.equal(await call.whoAmI(), id);
  }));
