/**
 * What a task throws rejects the call with the same value.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { KnitError, UnsupportedValueError } from "../../ts/index.ts";
import { aborts, ERRORS, throws, throwsLater, throwsNative, UNSENDABLE_NAMES, VALUES } from "../fixtures/thrown.ts";
import { reason, withPool } from "./support.ts";

const tasks = { throws, throwsLater, throwsNative, aborts };

/** Compares errors by what users look at; `deepStrictEqual` would compare stacks of two threads. */
function sameError(actual: unknown, expected: unknown, seen = new Set<unknown>()): void {
  if (!(expected instanceof Error)) return assert.deepStrictEqual(actual, expected);
  if (seen.has(expected)) return;
  seen.add(expected);
  assert.ok(actual instanceof Error);
  assert.equal(Object.getPrototypeOf(actual), Object.getPrototypeOf(expected));
  assert.equal(actual.name, expected.name);
  assert.equal(actual.message, expected.message);
  assert.equal(Object.hasOwn(actual, "message"), Object.hasOwn(expected, "message"));
  assert.equal(Object.hasOwn(actual, "cause"), Object.hasOwn(expected, "cause"));
  if (expected.cause === expected) assert.equal(actual.cause, actual);
  else sameError(actual.cause, expected.cause, seen);
  assert.deepStrictEqual(Object.keys(actual), Object.keys(expected));
  // Of those that are enumerable, by which assigned ones differ from constructed ones.
  assert.deepStrictEqual({ ...actual, cause: 0, errors: 0 }, { ...expected, cause: 0, errors: 0 });
  if (!(expected instanceof AggregateError)) assert.deepStrictEqual((actual as { errors?: unknown }).errors, (expected as { errors?: unknown }).errors);
  if (expected instanceof AggregateError) {
    const { errors } = actual as AggregateError;
    assert.equal(errors.length, expected.errors.length);
    expected.errors.forEach((error, i) => sameError(errors[i], error, seen));
  }
}

test("a thrown value arrives as it is, thrown at once or later", () =>
  withPool({}, tasks, async ({ call }) => {
    for (const [name, make] of Object.entries(VALUES)) {
      assert.deepStrictEqual(await reason(call.throws(name)), make(), name);
      assert.deepStrictEqual(await reason(call.throwsLater(name)), make(), `${name}, later`);
    }
  }));

test("a thrown error arrives with class, name, message, cause and properties", () =>
  withPool({}, tasks, async ({ call }) => {
    for (const [name, make] of Object.entries(ERRORS)) {
      try {
        sameError(await reason(call.throws(name)), make());
        sameError(await reason(call.throwsLater(name)), make());
      } catch (error) {
        throw new Error(name, { cause: error });
      }
    }
  }));

test("a thrown error's stack is the worker's, and names where it was thrown", () =>
  withPool({}, tasks, async ({ call }) => {
    const error = (await reason(call.throws("TypeError"))) as Error;
    assert.match(error.stack!, /^TypeError: type\n/);
    assert.match(error.stack!, /fixtures\/thrown\.ts/);
  }));

test("an error of a class of one's own arrives as an Error of that name, with its properties", () =>
  withPool({}, tasks, async ({ call }) => {
    const error = (await reason(call.throws("OutOfPaper"))) as Error & { code: string; tray: unknown };
    assert.equal(Object.getPrototypeOf(error), Error.prototype);
    assert.equal(error.name, "OutOfPaper");
    assert.equal(error.message, "tray 2");
    assert.equal(error.code, "E_PAPER");
    assert.deepEqual(error.tray, { number: 2, sheets: [0, 1] });
  }));

test("an error that the runtime throws arrives with its class", () =>
  withPool({}, tasks, async ({ call }) => {
    assert.ok((await reason(call.throwsNative())) instanceof TypeError);
    const aborted = (await reason(call.aborts())) as Error;
    assert.ok(aborted instanceof Error);
    assert.equal(aborted.name, "AbortError");
  }));

test("a thrown value that cannot travel rejects the call with why, and the worker lives on", () =>
  withPool({}, tasks, async ({ call }) => {
    for (const name of UNSENDABLE_NAMES) {
      for (const run of [call.throws, call.throwsLater]) {
        const error = await reason(run(name));
        assert.ok(error instanceof KnitError, name);
        assert.match(error.code, /^KNT_ERROR_/, name);
      }
    }
    assert.ok((await reason(call.throws("a function"))) instanceof UnsupportedValueError);
    assert.equal(await reason(call.throws("zero")), 0);
  }));

for (const where of ["worker", "host"] as const) {
  test(`an error that carries what cannot travel keeps its class, message and the rest, thrown in the ${where}`, () =>
    withPool(where === "host" ? { inliner: { position: "first" } } : {}, tasks, async ({ call }) => {
      const thrown = async (name: string) => (await reason(call.throws(`carries ${name}`))) as Error & { code?: unknown; kept?: unknown; retry?: unknown; tray?: unknown };
      const first = await thrown("a function");
      assert.ok(first instanceof RangeError);
      assert.deepEqual([first.message, first.code, first.kept, first.retry], ["carries", "E_CARRIES", [1, 2], undefined]);
      assert.match(first.stack!, /thrown\.ts/);
      const second = await thrown("a cause with a function");
      assert.ok(second instanceof TypeError && second.cause instanceof RangeError);
      assert.deepEqual([second.message, second.cause.message, (second.cause as { code?: unknown }).code], ["outer", "inner", 5]);
      const third = await thrown("a cause that is a function");
      assert.deepEqual([third.message, third.cause], ["outer", undefined]);
      const fourth = await thrown("in a class of its own");
      assert.deepEqual([fourth.name, fourth.message, fourth.code, fourth.tray], ["OutOfPaper", "tray 3", "E_PAPER", { number: 2, sheets: [0, 1] }]);
    }));
}

test("an error that carries what cannot travel, and is too large without it, is refused", () =>
  withPool({ payload: { maxPayloadBytes: 100_000 } }, tasks, async ({ call }) => {
    assert.ok((await reason(call.throws("carries a function, and is too large"))) instanceof UnsupportedValueError);
    assert.equal(await reason(call.throws("zero")), 0);
  }));

test("thousands of thrown errors at once arrive, each at its own call", () =>
  withPool({ threads: 2 }, tasks, async ({ call }) => {
    const names = Object.keys(ERRORS);
    const all = await Promise.all(Array.from({ length: 5000 }, (_, i) => reason(call.throws(names[i % names.length]!))));
    all.forEach((error, i) => assert.equal((error as Error).message, ERRORS[names[i % names.length]!]!().message));
  }));
