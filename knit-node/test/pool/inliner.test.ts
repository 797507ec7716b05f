/**
 * The inliner runs tasks on the host too, and nobody can tell from the answers.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { UnsupportedValueError } from "../../ts/index.ts";
import { answersFunction, fails, keeps, where, whereLater, whereWhenLetGo } from "../fixtures/control/inlined.ts";
import { echo, double } from "../fixtures/basic.ts";
import { VALUES, throws } from "../fixtures/thrown.ts";
import { reason, sleep, withPool } from "./support.ts";

const tasks = { where, whereLater, whereWhenLetGo, keeps, fails, answersFunction, echo, double, throws };
const FIRST = { inliner: { position: "first", batchSize: 4, dispatchThreshold: 1 } } as const;

function count(places: readonly string[]): { host: number; worker: number } {
  const host = places.filter((place) => place === "host").length;
  return { host, worker: places.length - host };
}

test("first: the host takes as many calls of a tick as its batch holds, workers the rest", () =>
  withPool({ threads: 2, ...FIRST }, tasks, async ({ call }) => {
    const places = await Promise.all(Array.from({ length: 20 }, () => call.where(1)));
    assert.deepEqual(count(places), { host: 4, worker: 16 });
    assert.deepEqual(places.slice(0, 4), ["host", "host", "host", "host"]);
  }));

test("last: workers have a call each before the host takes one", () =>
  withPool({ threads: 2, inliner: {} }, tasks, async ({ call }) => {
    const places = await Promise.all(Array.from({ length: 5 }, () => call.where(1)));
    assert.deepEqual(places, ["worker", "worker", "host", "worker", "worker"]);
    assert.equal(await call.where(1), "worker");
  }));

test("below its threshold the host takes none", () =>
  withPool({ threads: 2, inliner: { position: "first", dispatchThreshold: 10, batchSize: 100 } }, tasks, async ({ call }) => {
    assert.deepEqual(count(await Promise.all(Array.from({ length: 9 }, () => call.where(1)))), { host: 0, worker: 9 });
    assert.deepEqual(count(await Promise.all(Array.from({ length: 12 }, () => call.where(1)))), { host: 3, worker: 9 });
  }));

test("without an inliner nothing runs on the host", () =>
  withPool({ threads: 2 }, tasks, async ({ call }) => {
    assert.deepEqual(count(await Promise.all(Array.from({ length: 500 }, () => call.where(1)))), { host: 0, worker: 500 });
  }));

test("a call that runs on the host reads its argument when it is made, and shares nothing", () =>
  withPool(FIRST, tasks, async ({ call }) => {
    const argument = { n: 1 };
    const [first, second] = [call.keeps(argument), (argument.n = 10, call.keeps(argument))];
    argument.n = 100;
    assert.deepEqual(await first, { value: { n: 2 }, where: true });
    const { value } = await second;
    assert.deepEqual(value, { n: 11 });
    value.n = 5;
    assert.deepEqual(argument, { n: 100 });
    assert.notEqual((await call.keeps(argument)).value, argument);
  }));

test("a call that runs on the host fails as one in a worker does", () =>
  withPool(FIRST, tasks, async ({ call }) => {
    const error = (await reason(call.fails("why"))) as RangeError;
    assert.ok(error instanceof RangeError);
    assert.deepEqual([error.message, error.cause], ["why", { why: "why" }]);
    const refusedResult = await reason(call.answersFunction());
    assert.ok(refusedResult instanceof UnsupportedValueError);
    assert.equal(refusedResult.path, "result.deep[0]");
    const refusedArgument = await reason(call.echo({ f() {} }));
    assert.ok(refusedArgument instanceof UnsupportedValueError);
    assert.equal(refusedArgument.path, "arg.f");
    for (const [name, make] of Object.entries(VALUES)) assert.deepStrictEqual(await reason(call.throws(name)), make(), name);
  }));

test("memory that is shared on purpose arrives on the host as the same object", () =>
  withPool(FIRST, tasks, async ({ call }) => {
    const memory = new SharedArrayBuffer(8);
    const view = new Uint8Array(memory, 2, 4);
    const back = (await call.echo({ memory, again: [memory, view] })) as { memory: SharedArrayBuffer; again: [SharedArrayBuffer, Uint8Array] };
    assert.equal(back.memory, memory);
    assert.equal(back.again[0], memory);
    assert.deepEqual([back.again[1].buffer === memory, back.again[1].byteOffset, back.again[1].byteLength], [true, 2, 4]);
  }));

test("asynchronous tasks run on the host, too, and the host goes on meanwhile", () =>
  withPool(FIRST, tasks, async ({ call }) => {
    const open = Promise.all([call.whereWhenLetGo(), call.whereLater(5)]);
    for (let turn = 0; turn < 4; turn++) await sleep(5);
    const { letGo } = globalThis as { letGo?: () => void };
    assert.ok(letGo !== undefined, "it runs on the host");
    letGo();
    assert.deepEqual(await open, ["host", "host"]);
  }));

test("every call is answered with its own value, wherever it ran", () =>
  withPool({ threads: 2, inliner: { position: "first", batchSize: 16 } }, tasks, async ({ call }) => {
    for (let round = 0; round < 20; round++) {
      const all = await Promise.all(Array.from({ length: 500 }, (_, i) => (i % 3 === 0 ? call.echo({ i }) : call.double(i))));
      all.forEach((value, i) => assert.deepEqual(value, i % 3 === 0 ? { i } : i * 2));
      if (round % 5 === 0) await sleep(5);
    }
  }));
