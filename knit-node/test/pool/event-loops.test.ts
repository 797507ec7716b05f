/**
 * Event loops live on: a worker's while it is idle and while it is flooded, the host's while it floods. Nothing polls.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import type { PoolOptions } from "../../ts/index.ts";
import { countTicks, double, doubleLater, echo, sleepy, startTicking } from "../fixtures/basic.ts";
import { burn, sleep, within, withPool } from "./support.ts";

const tasks = { countTicks, double, doubleLater, echo, sleepy, startTicking };

test("an idle worker's timers tick", () =>
  withPool({}, tasks, async ({ call }) => {
    await call.startTicking(5);
    const all: number[] = [await call.countTicks()];
    // A call may let a timer fire. Ten at a time nothing but the worker's own loop does.
    const most = (): number => Math.max(...all.slice(1).map((ticks, i) => ticks - all[i]!), 0);
    for (let tries = 0; most() < 10 && tries < 20; tries++) {
      await sleep(500);
      all.push(await call.countTicks());
    }
    assert.ok(most() >= 10, `ticks of 5 ms, seen each 500 ms: ${all.join()}`);
  }));

for (const [kind, name] of [["synchronous", "double"], ["asynchronous", "doubleLater"]] as const) {
  test(`a worker's timers tick while it is flooded with ${kind} calls`, () =>
    withPool({}, tasks, async ({ call }) => {
      await call.startTicking(5);
      // Not a gate on speed: five ticks take 25 ms, and this gives up after ten seconds of calls.
      const end = performance.now() + 10_000;
      let [open, total, ticks] = [0, 0, 0];
      // Always more in flight than a claim takes: the worker never finds its lane empty.
      await new Promise<void>((resolve, reject) => {
        const send = (): void => {
          while (open < 5000 && ticks < 5 && performance.now() < end) {
            // One of each 2500 sees what the others left room for.
            const made = total % 2500 === 0 ? call.countTicks().then((count) => void (ticks = count)) : call[name](1);
            open++;
            total++;
            made.then(() => {
              open--;
              if (open === 2500) send();
              if (open === 0) resolve();
            }, reject);
          }
        };
        send();
      });
      assert.ok(ticks >= 5, `${ticks} ticks of 5 ms in ${total} calls`);
    }));
}

/** Ways to keep the host in microtasks for ever, were it let. */
const FLOODS: Readonly<Record<string, (call: { double(n: number): Promise<number>; doubleLater(n: number): Promise<number> }) => Promise<unknown>>> = {
  "one at a time": (call) => call.double(1),
  "one at a time, asynchronous": (call) => call.doubleLater(1),
  "a thousand at a time": (call) => Promise.all(Array.from({ length: 1000 }, (_, i) => call.double(i))),
  // So many bytes that they are handed over before the turn.
  "as many as fill a hand-over": (call) => Promise.all(Array.from({ length: 128 }, (_, i) => call.double(i))),
  // The answers are there before the host looks for the first time.
  "with work of the host's own after each hand-over": (call) => {
    const all = Promise.all(Array.from({ length: 128 }, (_, i) => call.double(i)));
    burn(3);
    return all;
  },
  "with work of the host's own after a few": (call) => {
    const answer = call.double(1);
    burn(1);
    return answer;
  },
};

for (const [name, flood] of Object.entries(FLOODS)) {
  for (const threads of [1, 2]) {
    test(`the host's timers fire while it awaits calls without end: ${name}, ${threads} threads`, () =>
      withPool({ threads }, tasks, async ({ call }) => {
        await call.double(1);
        let fired = 0;
        const timer = setInterval(() => fired++, 5);
        const start = performance.now();
        // Not a gate on speed: 20 ticks take 100 ms, and this gives up after 10 s of microtasks.
        while (fired < 20 && performance.now() - start < 10_000) await flood(call);
        clearInterval(timer);
        assert.ok(fired >= 20, `${fired} ticks of 5 ms in ${Math.round(performance.now() - start)} ms`);
      }));
  }
}

test("the host's timers fire while two pools answer in turns", () =>
  withPool({}, tasks, (one) =>
    withPool({}, tasks, async (two) => {
      let fired = 0;
      const timer = setInterval(() => fired++, 5);
      const start = performance.now();
      while (fired < 20 && performance.now() - start < 10_000) await two.call.double(await one.call.double(1));
      clearInterval(timer);
      assert.ok(fired >= 20, `${fired} ticks of 5 ms`);
    })));

/** Milliseconds of processor time that this process takes meanwhile, all threads together. */
async function cost(meanwhile: Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await meanwhile;
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * Checks that a second comes in which this process takes less than `most` milliseconds of processor time. The first may have what a runtime puts off: it compiles and
 * collects on threads of its own, on a busy machine long after what caused it. Who polls does so in every second.
 */
async function calms(most: number): Promise<void> {
  const seconds: number[] = [];
  while (seconds.length < 15 && !(seconds.at(-1)! < most)) seconds.push(await cost(sleep(1000)));
  assert.ok(seconds.at(-1)! < most, `milliseconds in a second: ${seconds.join()}`);
}

const IDLE: readonly PoolOptions[] = [{ threads: 4 }, { threads: 4, host: { steal: false } }];

for (const options of IDLE) {
  test(`an idle pool of 4 workers takes no processor time, ${JSON.stringify(options)}`, () =>
    withPool(options, tasks, async ({ call }) => {
      await Promise.all(Array.from({ length: 5000 }, (_, i) => call.double(i)));
      await sleep(300);
      await calms(100);
    }));
}

test("a task that never settles makes nobody poll: neither its worker nor the host, however many calls were made beside it", () =>
  withPool({ threads: 1 }, tasks, async ({ call }) => {
    void call.sleepy(2 ** 31 - 1).catch(() => {});
    await Promise.all(Array.from({ length: 5000 }, (_, i) => call.double(i)));
    for (let i = 0; i < 200; i++) assert.equal(await call.double(i), i * 2);
    await sleep(200);
    await calms(20);
  }));

test("a host that waits for a long call takes no processor time, nor do the workers beside it", () =>
  withPool({ threads: 4 }, tasks, async ({ call }) => {
    await Promise.all(Array.from({ length: 5000 }, (_, i) => call.double(i)));
    let more = true;
    const long = (async () => {
      while (more) assert.equal(await call.sleepy(1400), 1400);
    })();
    await sleep(200);
    await calms(100);
    more = false;
    await within(long, "a long call");
  }));
