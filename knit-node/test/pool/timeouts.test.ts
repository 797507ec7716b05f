/**
 * A timeout runs from the call on the host's clock, whatever the worker does, and is answered as the task says.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { OptionError, TaskTimeoutError, importTask, task } from "../../ts/index.ts";
import { double, echo } from "../fixtures/basic.ts";
import * as timedTasks from "../fixtures/control/timed.ts";
import { FALLBACK, REASON } from "../fixtures/control/timed.ts";
import type { Wait } from "../fixtures/control/timed.ts";
import { Gate, holds } from "../fixtures/held.ts";
import { burn, reason, sleep, within, withPool } from "./support.ts";

const { plain, timed, withDefault, withError, maybe, patient, atOnce, holdsWithDefault } = timedTasks;
const tasks = { plain, timed, withDefault, withError, maybe, patient, atOnce, holds, holdsWithDefault, double, echo };

for (const way of ["never", "block", "later"] as const) {
  // Much longer than the timeouts, and so is how late this thread may come to look at them.
  const wait: Wait = { ms: way === "block" ? 4000 : 60_000, way };
  test(`each form answers in its way, for a body that answers ${way}`, () =>
    withPool({ threads: 2 }, tasks, async ({ call }) => {
      // The workers are up; the rest of this is about running ones.
      await Promise.all([call.double(1), call.double(1)]);
      const begun = performance.now();
      const calls = [reason(call.plain(wait)), reason(call.timed(wait)), call.withDefault(wait), reason(call.withError(wait)), call.maybe(wait)];
      const [numbered, bare, fallback, error, nothing] = await within(Promise.all(calls), "calls with timeouts");
      assert.ok(performance.now() - begun >= 49, "not before its time");
      for (const late of [numbered, bare]) {
        assert.ok(late instanceof TaskTimeoutError, String(late));
        assert.equal(late.code, "KNT_TASK_TIMEOUT");
        assert.match(late.message, /"(plain|timed)".*50 ms/);
      }
      assert.equal(fallback, FALLBACK);
      assert.equal(error, REASON);
      assert.equal(nothing, undefined);
    }));
}

test("the caller is answered while the worker is stuck for good, and while no worker is up yet", () =>
  withPool({}, { ...tasks }, async ({ call }) => {
    assert.equal(await within(call.atOnce({ ms: 0 }), "a call before the worker is up"), "at once");
    const stuck = call.withDefault({ ms: 20_000, way: "block" });
    const queued = call.withDefault({ ms: 0 });
    assert.equal(await within(stuck, "a call whose worker is stuck", 10_000), FALLBACK);
    assert.equal(await within(queued, "a call behind one that is stuck", 10_000), FALLBACK);
  }));

test("a call that is answered in time is answered with its result, and costs no later one anything", () =>
  withPool({ threads: 2 }, tasks, async ({ call }) => {
    for (let round = 0; round < 20; round++) {
      const all = await Promise.all(Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? call.patient({ ms: 0 }) : call.double(i))));
      all.forEach((value, i) => assert.equal(value, i % 2 === 0 ? "in time" : i * 2));
    }
  }));

test("a late result is dropped: no later call gets it, and the worker serves on", () =>
  withPool({}, tasks, async ({ call }) => {
    for (let [round, late] = [0, 0]; late < 3; round++) {
      assert.ok(round < 100, "none ran before its time was over");
      const gate = new Gate();
      assert.equal(await call.holdsWithDefault(gate.shared), FALLBACK);
      // Their numbers must not be those of the calls that are still running.
      const echoes = Array.from({ length: 300 }, (_, i) => call.echo({ round, i }));
      // One that was too late to run at all has no result.
      if (gate.runs) late++;
      gate.open();
      assert.deepEqual(await Promise.all(echoes), Array.from({ length: 300 }, (_, i) => ({ round, i })));
    }
    assert.equal(await call.double(4), 8);
  }));

test("a call that timed out in the queue never runs", () =>
  withPool({}, { ...tasks, count: timedTasks.whatWasSeen, loopsTimed: timedTasks.loopsTimed }, async ({ call }) => {
    const gate = new Gate();
    const stuck = call.holds(gate.shared);
    await gate.taken();
    assert.equal(await call.loopsTimed({ name: "in the queue", ms: 1 }), "timed out");
    gate.open();
    assert.equal(await stuck, "let go");
    assert.deepEqual((await call.count("in the queue")).seen, []);
  }));

test("the time that an argument takes counts, and a call that timed out meanwhile is not sent", () =>
  withPool({}, { ...tasks, count: timedTasks.whatWasSeen, loopsTimed: timedTasks.loopsTimed }, async ({ call }) => {
    let resolve!: (value: { name: string; ms: number }) => void;
    const call1 = call.loopsTimed(new Promise<{ name: string; ms: number }>((settle) => (resolve = settle)));
    assert.equal(await within(call1, "a call whose argument does not come"), "timed out");
    resolve({ name: "argument too late", ms: 1 });
    await sleep(30);
    assert.deepEqual((await call.count("argument too late")).seen, []);
    const why = new RangeError("no argument");
    assert.equal(await reason(call.patient(Promise.reject(why))), why);
    assert.equal(await call.patient(Promise.resolve({ ms: 1 })), "in time");
  }));

test("the abort signal of a task is set when its timeout fires, in a loop and for asynchronous code", () =>
  withPool({ threads: 2, balancer: "roundRobin", host: { steal: false } }, { whatWasSeen: timedTasks.whatWasSeen, loopsTimed: timedTasks.loopsTimed, listensTimed: timedTasks.listensTimed }, async ({ call }) => {
    await Promise.all([call.whatWasSeen(""), call.whatWasSeen("")]);
    for (let round = 0; ; round++) {
      const name = `timed ${round}`;
      const calls = [call.loopsTimed({ name }), call.listensTimed({ name })];
      assert.deepEqual(await within(Promise.all(calls), "calls that time out"), ["timed out", "timed out"]);
      // Both workers answer at once: neither is stuck in its task any more.
      const notes = await within(Promise.all([call.whatWasSeen(name), call.whatWasSeen(name)]), "workers after an abort");
      const seen = notes.map(({ seen }) => seen).sort();
      // A worker that came to its call when the time was over shows nothing.
      if (!seen.every(([first]) => first === "begun") && round < 100) continue;
      assert.deepEqual(seen, [["begun", "aborted"], ["begun", "aborted AbortError"]]);
      break;
    }
  }));

test("a hundred thousand pending timeouts are one timer", () =>
  withPool({}, tasks, async ({ call }) => {
    const active = (): number => process.getActiveResourcesInfo().filter((kind) => /timeout|timer/i.test(kind)).length;
    const before = active();
    const gate = new Gate();
    const stuck = call.holds(gate.shared);
    const all = Array.from({ length: 100_000 }, () => call.patient({ ms: 0 }));
    assert.ok(active() - before <= 1, `${active() - before} timers`);
    gate.open();
    assert.equal(await stuck, "let go");
    assert.ok((await Promise.all(all)).every((answer) => answer === "in time"));
  }));

test("a hundred thousand calls that time out at once are each answered once", { timeout: 120_000 }, () =>
  withPool({}, tasks, async ({ call }) => {
    const gate = new Gate();
    const stuck = call.holds(gate.shared);
    await gate.taken();
    const all = Array.from({ length: 100_000 }, () => call.withDefault({ ms: 0 }));
    burn(60);
    assert.ok((await within(Promise.all(all), "calls that time out")).every((answer) => answer === FALLBACK));
    gate.open();
    assert.equal(await stuck, "let go");
    assert.equal(await call.double(2), 4);
  }));

test("an imported task may have a timeout, too", () =>
  withPool({}, { never: importTask<Wait, string, { time: number; default: "fallback" }>({ href: "../fixtures/control/never-answers.ts", timeout: { time: 20, default: "fallback" } }) }, async ({ call }) => {
    assert.equal(await call.never({ ms: 0 }), "fallback");
  }));

test("a timeout that is none is an error that says what is taken", () => {
  for (const timeout of [-1, NaN, Infinity, "50", null, {}, { time: -1 }, { time: "5" }, { time: 5, defualt: 1 }, { time: 5, default: 1, error: 2 }, { time: 5, maybe: "yes" }, 2 ** 31]) {
    assert.throws(() => task({ f() {}, timeout } as never), (error) => error instanceof OptionError && /timeout/.test(error.message), JSON.stringify(timeout));
  }
});
