/**
 * A task is bound by identity: which `task()` call of which module, whatever it is called in the pool.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { OptionError, setModuleUrl, task } from "../../ts/index.ts";
import { one, renamed, twins, two } from "../fixtures/binding/digits.ts";
import { early, late } from "../fixtures/binding/late.ts";
import defaultTask, { alpha, group, mid, zeta } from "../fixtures/binding/letters.ts";
import { double } from "../fixtures/basic.ts";
import { withPool } from "./support.ts";
import { kind } from "../fixtures/kind.ts";

test("the key in a pool is free: it runs the task it stands for", () =>
  withPool({}, { aaa: zeta, bbb: alpha }, async ({ call }) => {
    assert.equal(await call.aaa(), "zeta");
    assert.equal(await call.bbb(), "alpha");
  }));

test("one task may stand under several keys", () =>
  withPool({}, { a: alpha, z: zeta, again: alpha }, async ({ call }) => {
    assert.deepEqual(await Promise.all([call.a(), call.z(), call.again()]), ["alpha", "zeta", "alpha"]);
  }));

test("tasks of several modules mix, in any order, unused ones beside them", () =>
  withPool({ threads: 2 }, { one, mid, two, zeta, early, double, late, alpha }, async ({ call }) => {
    const names = ["one", "mid", "two", "zeta", "early", "late", "alpha"] as const;
    for (let round = 0; round < 20; round++) {
      assert.deepEqual(await Promise.all(names.map((name) => call[name]())), [...names]);
    }
    assert.equal(await call.double(2), 4);
  }));

test("a task needs no export of its own, and may be a default export", () =>
  withPool({}, { hidden: group.hidden, inner: group.inner, defaultTask }, async ({ call }) => {
    assert.deepEqual(await Promise.all([call.hidden(), call.inner(), call.defaultTask()]), ["hidden", "inner", "default"]);
  }));

test("a task that another module exports again is still the same task", () =>
  withPool({}, { renamed }, async ({ call }) => {
    assert.equal(await call.renamed(), "zeta");
  }));

test("tasks whose texts are equal are told apart by their places", () =>
  withPool({}, { c: twins[2], a: twins[0], b: twins[1] }, async ({ call }) => {
    assert.deepEqual(await Promise.all([call.a(), call.b(), call.c()]), [1, 2, 3]);
  }));

test("what is no task, or has no function, is an error that says so", async () => {
  const { createPool } = await import("../../ts/index.ts");
  assert.throws(() => createPool(kind())({ f: 5 as never }), (error) => error instanceof OptionError && /\bf\b.*task/.test(error.message));
  assert.throws(() => task({ f: 5 as never }), (error) => error instanceof OptionError && /function/.test(error.message));
  assert.throws(() => task({ f() {}, timout: 5 } as never), (error) => error instanceof OptionError && /"timout"/.test(error.message));
});

test("setModuleUrl says which module the following tasks belong to", () => {
  const url = "file:///bundle/module.js";
  setModuleUrl(url);
  try {
    assert.equal(task({ f() {} }).href, url);
  } finally {
    setModuleUrl(import.meta.url);
  }
  assert.equal(task({ f() {} }).href, import.meta.url);
  assert.throws(() => setModuleUrl("not a url"));
});
