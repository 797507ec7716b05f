/**
 * A plain exported function may stand in place of a task; one that cannot be found is an error that names it.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { createPool } from "../../ts/index.ts";
import { staticImports } from "../../ts/api/static-imports.ts";
import { double } from "../fixtures/basic.ts";
import negate, { add, addOne, addTwo, greet, outer } from "../fixtures/control/plain.ts";
import { sum } from "../fixtures/control/plain-again.ts";
import { reason, script, within, withPool } from "./support.ts";
import { kind } from "../fixtures/kind.ts";

// Awaited, not returned: Bun's engine takes the frame of a function away when it ends with a call, and such functions are looked for in the
// modules that make the pool.
test("exported functions stand in place of tasks, under any key, beside tasks", async () => {
  await withPool({ threads: 2 }, { add, hi: greet, negate, outer, double, sum }, async ({ call }) => {
    for (let round = 0; round < 10; round++) {
      assert.equal(await call.add({ a: 1, b: round }), 1 + round);
      assert.equal(await call.hi("Ada"), "hello Ada");
      assert.equal(await call.negate(5), -5);
      assert.equal(await call.outer(5), 50);
      assert.equal(await call.double(5), 10);
      assert.equal(await call.sum({ a: 2, b: 2 }), 4);
    }
  });
});

test("it is the export that is that very function, also among some that look alike", async () => {
  await withPool({}, { one: addOne, two: addTwo }, async ({ call }) => {
    assert.deepEqual(await Promise.all([call.one(10), call.two(10)]), [11, 12]);
  });
});

// In a script: a worker looks for such a function in the modules that make the pool, and this one would register its tests there.
test("a script's own functions are found while it is being evaluated; those that are not exported, or look alike, reject every call, named", async () => {
  const { code, out, err } = await script("control/plain-here.ts");
  assert.equal(code, 0, err);
  const [answers, alike, ...lost] = out.trimEnd().split("\n");
  assert.equal(answers, "2 hey!");
  assert.match(alike!, /^KNT_TASK_BINDING "alike"[^|]*2 exports of [^|]*plain-here\.ts look the same[^|]*$/);
  for (const [i, named] of [/"secret" is the plain function secret,/, /"hidden" is the plain function hidden,/, /"nameless" is the plain function/, /"root" is the plain function sqrt,/].entries()) {
    assert.match(lost[i]!, named);
    assert.match(lost[i]!, /^KNT_TASK_BINDING [^|]*plain-here\.ts[^|]*Export it[^|]*$/);
  }
  assert.equal(lost.length, 4);
});

test("a pool that is shut down before its functions are found ends", async () => {
  const pool = createPool(kind())({ add });
  const open = reason(pool.call.add({ a: 1, b: 1 }));
  await within(pool.shutdown(), "shutdown()");
  assert.equal(((await open) as { code: string }).code, "KNT_POOL_CLOSED");
});

test("static imports are read from a module's text", () => {
  const source = `
    // import "no-1";
    /* import "no-2"; */
    import "./side.ts";
    import a from './a.ts';
    import { b, type C } from "./b.ts"; import*as d from"./d.ts";
    import type { T } from "no-3";
    export type { U } from "no-4";
    import type D from "no-5";
    import {
      e,
    } from "./e.ts";
    export * from "./f.ts";
    export { g as default } from "./g.ts";
    const text = 'import "no-6"', other = \`from "no-7" \${1}\`, escaped = "\\" from 'no-8'";
    from(a, "no-9");
    await import("no-10");
    import "./a.ts";
    import typed from "./typed.ts";
  `;
  assert.deepEqual(staticImports(source), ["./side.ts", "./a.ts", "./b.ts", "./d.ts", "./e.ts", "./f.ts", "./g.ts", "./typed.ts"]);
});
