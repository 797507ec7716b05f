/**
 * importTask names a function that only workers import.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

import { OptionError, TaskBindingError, createPool, importTask } from "../../ts/index.ts";
import { double } from "../fixtures/basic.ts";
import { reason, within, withPool } from "./support.ts";
import { kind } from "../fixtures/kind.ts";

const HREF = "../fixtures/control/only-in-workers.ts";
const URL_OF = new URL(HREF, import.meta.url);
type Module = typeof import("../fixtures/control/only-in-workers.ts");

const tasks = {
  theDefault: importTask<number, string>({ href: HREF }),
  triple: importTask<Module["triple"]>({ href: URL_OF, name: "triple" }),
  later: importTask<Module["later"]>({ href: URL_OF.href, name: "later" }),
  byPath: importTask<number, number>({ href: fileURLToPath(URL_OF), name: "triple" }),
};

test("a relative path, an absolute path and a URL name the module; the export is `default` unless named", () =>
  withPool({ threads: 2 }, { ...tasks, double }, async ({ call }) => {
    for (let round = 0; round < 10; round++) {
      assert.equal(await call.theDefault(4), "default 4, on the host: false");
      assert.equal(await call.triple(4), 12);
      assert.equal(await call.later("up"), "UP");
      assert.equal(await call.byPath(5), 15);
      assert.equal(await call.double(2), 4);
    }
  }));

test("the host never evaluates that module", async () => {
  await withPool({ inliner: { position: "first", batchSize: 100 } }, tasks, async ({ call }) => {
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => call.theDefault(i)));
    assert.ok(results.every((result) => result.endsWith("on the host: false")));
  });
  assert.equal((globalThis as { evaluatedOnlyInWorkers?: boolean }).evaluatedOnlyInWorkers, undefined);
});

test("a missing export rejects its calls, naming what the module does export, and no others", () =>
  withPool({}, { gone: importTask({ href: HREF, name: "gone" }), five: importTask({ href: HREF, name: "five" }), ...tasks }, async ({ call }) => {
    for (const name of ["gone", "five"] as const) {
      const error = await reason(call[name](1));
      assert.ok(error instanceof TaskBindingError, String(error));
      assert.equal(error.code, "KNT_TASK_BINDING");
      for (const part of [`"${name}"`, "only-in-workers.ts", '"default"', '"triple"', '"later"']) assert.ok(error.message.includes(part), error.message);
    }
    assert.equal(await call.triple(1), 3);
  }));

test("a missing module, or one that throws, rejects its calls, naming it, and no others", () =>
  withPool({}, { gone: importTask({ href: "./gone.ts" }), throws: importTask({ href: "../fixtures/control/throws-at-import.ts" }), ...tasks }, async ({ call }) => {
    const [gone, throws] = [await reason(call.gone(1)), await reason(call.throws(1))] as [Error, Error];
    assert.ok(gone instanceof TaskBindingError && throws instanceof TaskBindingError);
    assert.match(gone.message, /pool\/gone\.ts/);
    assert.match(throws.message, /throws-at-import\.ts[^]*no database here/);
    assert.equal(await call.triple(1), 3);
  }));

test("bad options are errors that name them", () => {
  for (const [options, names] of [
    [{}, /href/],
    [{ href: 5 }, /href/],
    [{ href: "" }, /href/],
    [{ href: HREF, name: 5 }, /name/],
    [{ href: HREF, name: "" }, /name/],
    [{ href: HREF, nam: "x" }, /"nam".*"name"/],
    [null, /importTask/],
  ] as const) {
    assert.throws(() => importTask(options as never), (error) => error instanceof OptionError && names.test(error.message), JSON.stringify(options));
  }
});

test("task().createPool() is a pool of that task alone", async () => {
  const pool = double.createPool(kind({ threads: 2 }));
  try {
    assert.deepEqual(await within(Promise.all([1, 2, 3].map((n) => pool.call(n))), "calls"), [2, 4, 6]);
    assert.deepEqual(Object.keys(pool).sort(), Object.keys(createPool(kind())({})).sort());
  } finally {
    await pool[Symbol.asyncDispose]();
  }
  assert.equal(((await reason(pool.call(1))) as { code: string }).code, "KNT_POOL_CLOSED");
  await pool.shutdown();
  const imported = tasks.triple.createPool(kind());
  assert.equal(await within(imported.call(7), "a call"), 21);
  await imported.shutdown();
  assert.throws(() => double.createPool({ thread: 1 } as never), OptionError);
});
