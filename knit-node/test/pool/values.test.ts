/**
 * Every value of the contract arrives as it left, at the top and inside others, as argument and as result.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { difference } from "../fixtures/difference.ts";
import { PLACES, VALUES, compare, expectValue, make, makeLater, makeValue, stackOf } from "../fixtures/values.ts";
import { withPool } from "./support.ts";

const tasks = { compare, expectValue, makeLater, makeValue, stackOf };

test("the tables have every kind of value of the contract", () => {
  assert.ok(Object.keys(VALUES).length > 150);
  assert.ok(Object.keys(PLACES).length > 15);
});

for (const place of Object.keys(PLACES)) {
  test(`every value arrives as it left, ${place}, as argument and as result`, { timeout: 120_000 }, () =>
    withPool({}, tasks, async ({ call }) => {
      const changed: string[] = [];
      const note = (name: string, way: string, found: string | null): void => void (found !== null && changed.push(`${name}, as ${way}: ${found}`));
      for (const value of Object.keys(VALUES)) {
        const wanted = { value, place };
        // One worker takes them in order.
        const [, argument, result, later] = await Promise.all([call.expectValue(wanted), call.compare(make(wanted)), call.makeValue(wanted), call.makeLater(wanted)]);
        note(value, "argument", argument);
        note(value, "result", difference(result, make(wanted)));
        note(value, "result of a promise", difference(later, make(wanted)));
      }
      assert.deepEqual(changed, []);
    }));
}

test("an error's stack is that of where it was made, as argument", () =>
  withPool({}, tasks, async ({ call }) => {
    const error = Object.assign(new TypeError("made here"), { code: "E" });
    const { stack, own, keys } = await call.stackOf(error);
    assert.equal(stack, error.stack);
    assert.match(stack!, /values\.test\.ts/);
    assert.deepEqual({ own, keys }, { own: true, keys: ["code"] });
  }));

test("a value sent many times arrives every time", () =>
  withPool({}, tasks, async ({ call }) => {
    for (const value of ["an object", "an object with its own __proto__", "integer-like keys", "cyclic references", "own properties of an error"]) {
      const wanted = { value, place: "in an object" };
      await call.expectValue(wanted);
      const found = await Promise.all(Array.from({ length: 300 }, () => Promise.all([call.compare(make(wanted)), call.makeValue(wanted)])));
      for (const [argument, result] of found) assert.deepEqual([argument, difference(result, make(wanted))], [null, null], value);
    }
  }));
