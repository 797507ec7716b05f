/**
 * A call can be aborted by its promise, by a signal, by its timeout; a queued one never runs, a running one is told.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { AbortSlotsExhaustedError, OptionError, createPool, task } from "../../ts/index.ts";
import { double, echo, sleepy } from "../fixtures/basic.ts";
import { dies } from "../fixtures/dying.ts";
import { Gate, holds } from "../fixtures/held.ts";
import * as timedTasks from "../fixtures/control/timed.ts";
import { reason, sleep, within, withPool } from "./support.ts";

const { loops, listens, toolkit, whatWasSeen } = timedTasks;
const tasks = { loops, listens, toolkit, whatWasSeen, holds, double, echo, sleepy, dies };

for (const name of ["loops", "listens"] as const) {
  const [answer, note] = name === "loops" ? ["saw it", "aborted"] : ["heard it", "aborted AbortError"];
  test(`reject(reason) rejects at once, and the task that ${name} is told`, () =>
    withPool({}, tasks, async ({ call }) => {
      const gate = new Gate();
      const open = call[name]({ name: "with a reason", shared: gate.shared });
      await gate.taken();
      const why = new RangeError("not wanted");
      open.reject(why);
      open.reject(new Error("too late"));
      assert.equal(await within(reason(open), "a rejected call"), why);
      assert.deepEqual((await within(call.whatWasSeen("with a reason"), "the worker of an aborted call")).seen, ["begun", note]);
    }));

  test(`reject() tells only the task that ${name}, whose answer decides`, () =>
    withPool({}, tasks, async ({ call }) => {
      const gate = new Gate();
      const open = call[name]({ name: "without a reason", shared: gate.shared });
      await gate.taken();
      open.reject();
      assert.equal(await within(open, "a call that was told"), answer);
      open.reject(new Error("answered already"));
      assert.equal(await open, answer);
    }));

  test(`a signal rejects with its reason, and the task that ${name} is told`, () =>
    withPool({}, tasks, async ({ call }) => {
      const [controller, gate] = [new AbortController(), new Gate()];
      const open = call[name]({ name: "by signal", shared: gate.shared }, { signal: controller.signal });
      await gate.taken();
      const why = new RangeError("not wanted");
      controller.abort(why);
      assert.equal(await within(reason(open), "an aborted call"), why);
      assert.deepEqual((await within(call.whatWasSeen("by signal"), "the worker of an aborted call")).seen, ["begun", note]);
    }));
}

test("a queued call that is aborted never runs", () =>
  withPool({}, tasks, async ({ call }) => {
    const gate = new Gate();
    const stuck = call.holds(gate.shared);
    await gate.taken();
    const controller = new AbortController();
    const [bySignal, byReason] = [call.loops({ name: "queued" }, { signal: controller.signal }), call.loops({ name: "queued" })];
    // Handed over, and not yet.
    await sleep(5);
    const fresh = call.loops({ name: "queued" });
    controller.abort();
    byReason.reject("no");
    fresh.reject("nor this");
    assert.equal(((await reason(bySignal)) as Error).name, "AbortError");
    assert.deepEqual([await reason(byReason), await reason(fresh)], ["no", "nor this"]);
    gate.open();
    assert.equal(await stuck, "let go");
    assert.deepEqual((await call.whatWasSeen("queued")).seen, []);
  }));

test("any call takes a signal, of whatever task, and the signal may be aborted before", () =>
  withPool({}, tasks, async ({ call }) => {
    const aborted = AbortSignal.abort("before");
    assert.equal(await reason(call.double(2, { signal: aborted })), "before");
    assert.equal(await reason(call.loops({ name: "x" }, { signal: aborted })), "before");
    const controller = new AbortController();
    const { signal } = controller;
    assert.equal(await call.double(2, { signal }), 4);
    const open = reason(call.sleepy(60_000, { signal }));
    const awaited = reason(call.double(new Promise<number>(() => {}), { signal }));
    await sleep(20);
    controller.abort("now");
    assert.deepEqual(await within(Promise.all([open, awaited]), "aborted calls"), ["now", "now"]);
    assert.equal(await call.double(3), 6);
  }));

test("a call's options are its signal: whatever else is an error that names it, whatever is no object is not looked at", () =>
  withPool({}, { double, loops, sleepy }, async ({ call }) => {
    const { signal } = new AbortController();
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [{ signl: signal }, /no option "signl": did you mean "signal"/],
      [{ signal, timeout: 5 }, /no option "timeout"/],
      [signal, /call\.name\(arg, \{ signal \}\)/],
      [{ signal: 5 }, /must be an AbortSignal, not 5/],
    ];
    for (const name of ["double", "loops"] as const) {
      for (const [options, says] of wrong) {
        const error = await reason((call[name] as (arg: unknown, options: unknown) => Promise<unknown>)({ name: "x" }, options));
        assert.ok(error instanceof OptionError, String(error));
        assert.match(error.message, says);
      }
    }
    const any = call.double as (arg: unknown, options: unknown) => Promise<unknown>;
    for (const options of [{}, { signal: undefined }, null, 7, "signal"]) assert.equal(await any(2, options), 4);
    const item = { n: 3 };
    assert.ok(Number.isNaN(await any(item, item)), "the forEach of a Set gives it twice");
  }));

test("one signal may abort many calls, and those that are over have let go of it", () =>
  withPool({ threads: 2 }, tasks, async ({ call }) => {
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", onWarning);
    const controller = new AbortController();
    const { signal } = controller;
    const done = await Promise.all(Array.from({ length: 1000 }, (_, i) => call.double(i, { signal })));
    assert.deepEqual(done, Array.from({ length: 1000 }, (_, i) => i * 2));
    const gates = [new Gate(), new Gate()];
    const stuck = gates.map(({ shared }) => call.holds(shared));
    await Promise.all(gates.map((gate) => gate.taken()));
    const open = Array.from({ length: 1000 }, (_, i) => reason(call.double(i, { signal })));
    controller.abort("all of them");
    assert.deepEqual(new Set(await within(Promise.all(open), "aborted calls")), new Set(["all of them"]));
    for (const gate of gates) gate.open();
    assert.deepEqual(await Promise.all(stuck), ["let go", "let go"]);
    await sleep(0);
    process.off("warning", onWarning);
    assert.deepEqual(warnings, []);
  }));

test("an aborted call leaves the numbers and answers of others alone", () =>
  withPool({ threads: 2 }, tasks, async ({ call }) => {
    for (let round = 0; round < 30; round++) {
      const calls = Array.from({ length: 100 }, (_, i) => ({ i, open: call.echo({ round, i }), controller: new AbortController() }));
      const aborted = calls.map(({ i, controller }) => reason(call.echo({ aborted: i }, { signal: controller.signal })).then((why) => why, () => "answered"));
      if (round % 2 === 0) await null;
      for (const { controller } of calls) controller.abort("gone");
      assert.deepEqual(await Promise.all(calls.map(({ open }) => open)), calls.map(({ i }) => ({ round, i })));
      for (const outcome of await Promise.all(aborted)) assert.ok(outcome === "gone" || outcome === "answered");
    }
  }));

test("a call with a large argument, made in the tick in which another was aborted, arrives whole", () =>
  withPool({}, tasks, async ({ call }) => {
    for (let i = 0; i < 50; i++) {
      const controller = new AbortController();
      const small = reason(call.echo(i, { signal: controller.signal }));
      const large = reason(call.echo(new Uint8Array(50_000), { signal: controller.signal }));
      controller.abort("gone");
      const bytes = new Uint8Array(100_000).fill(i + 1);
      const arrived = await Promise.all([call.echo(bytes), call.echo(bytes)]);
      for (const got of arrived) assert.deepEqual(got, bytes);
      assert.deepEqual([await small, await large], ["gone", "gone"]);
    }
  }));

test("the toolkit has a clock, a signal and the test, which work when they are taken out of it", () =>
  withPool({}, tasks, async ({ call }) => {
    for (const value of [5, "text", { a: [1] }, new Uint8Array(100_000)]) {
      assert.deepEqual(await call.toolkit(value), { value, keys: ["hasAborted", "now", "signal"], aborted: false, signal: true, monotonic: true });
    }
  }));

test("abort-aware calls past the capacity reject, and no slot is lost, however calls end", () =>
  withPool({ threads: 2, abortSignalCapacity: 8 }, tasks, async ({ call }) => {
    for (let round = 0; round < 6; round++) {
      const open = Array.from({ length: 8 }, () => call.listens({ name: "many" }));
      const error = await reason(call.listens({ name: "one too many" }));
      assert.ok(error instanceof AbortSlotsExhaustedError, String(error));
      assert.equal(error.code, "KNT_ABORT_SLOTS");
      assert.match(error.message, /8.*abortSignalCapacity/);
      // Answered, rejected while they run, rejected in the queue.
      open.forEach((promise, i) => (i % 2 === 0 ? promise.reject("enough") : promise.reject()));
      const outcomes = await within(Promise.all(open.map((promise) => promise.catch((why: unknown) => why))), "aborted calls");
      assert.deepEqual(outcomes, Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? "enough" : "heard it")));
      // An argument that is refused takes no slot either.
      for (let i = 0; i < 20; i++) assert.match(String(await reason(call.toolkit(() => {}))), /function/);
      // What was rejected may take a moment to be over in its worker. Of probes that end by themselves the last could have the slot of the first.
      for (let all = false; !all; ) {
        const probes = Array.from({ length: 8 }, () => call.listens({ name: "probe" }));
        for (const probe of probes) probe.reject();
        all = (await Promise.allSettled(probes)).every(({ status }) => status === "fulfilled");
      }
    }
  }));

test("no slot is lost with a worker that dies", () =>
  withPool({ abortSignalCapacity: 4 }, tasks, async ({ call }) => {
    await call.double(1);
    for (let round = 0; round < 3; round++) {
      const open = Array.from({ length: 4 }, () => reason(call.listens({ name: "doomed" })));
      await sleep(30);
      await reason(call.dies("with four"));
      await within(Promise.all(open), "calls of a dead worker");
      assert.deepEqual(new Set((await Promise.all(Array.from({ length: 4 }, () => call.toolkit(1)))).map(({ aborted }) => aborted)), new Set([false]));
    }
  }));

test("a slot is not used again while its task runs: no later call is aborted by an earlier one's abort", () =>
  withPool({ threads: 2, abortSignalCapacity: 2, host: { steal: true } }, { deaf: timedTasks.deaf, toolkit }, async ({ call }) => {
    // It does not look, so it runs on when its promise is rejected.
    const gate = new Gate();
    const open = call.deaf(gate.shared);
    await gate.taken();
    open.reject("given up");
    assert.equal(await reason(open), "given up");
    // The other worker runs them; then both do.
    for (let i = 0; i < 50; i++) assert.equal((await call.toolkit(i)).aborted, false);
    const [other, none] = await Promise.all([call.toolkit(0), reason(call.toolkit(1))]);
    assert.equal(other.aborted, false);
    assert.ok(none instanceof AbortSlotsExhaustedError, "its slot is still its own");
    gate.open();
    for (let i = 0; i < 50; i++) assert.equal((await call.toolkit(i)).aborted, false);
  }));

test("a signal that is none rejects the call, and says so", () =>
  withPool({}, tasks, async ({ call }) => {
    for (const signal of [5, "x", null, {}, new EventTarget()]) {
      const error = await reason(call.double(1, { signal } as never));
      assert.ok(error instanceof OptionError && /AbortSignal/.test(error.message), String(error));
    }
    for (const abortSignal of ["yes", 5, null, { hasAborted: "yes" }, { has: true }]) assert.throws(() => task({ f() {}, abortSignal } as never), OptionError);
    for (const abortSignalCapacity of [0, -1, 1.5, "8"]) assert.throws(() => createPool({ abortSignalCapacity } as never), OptionError);
  }));
