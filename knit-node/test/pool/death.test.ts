/**
 * A worker's death rejects the calls that it had taken; the others go on, and it is replaced.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { WorkerCrashedError } from "../../ts/index.ts";
import { busy, double, echo, sleepy, whoAmI } from "../fixtures/basic.ts";
import { answersThenDies, dies, diesLater, diesWith, exhausts, rejectsUnseen, shaped, throwsInTimer } from "../fixtures/dying.ts";
import { inProcesses } from "../fixtures/kind.ts";
import { eventually, reason, runtime, skip, within, withPool } from "./support.ts";

function crashed(error: unknown): WorkerCrashedError {
  assert.ok(error instanceof WorkerCrashedError, String(error));
  assert.equal(error.code, "KNT_WORKER_CRASHED");
  return error;
}

test("an exception that nobody catches rejects its call with the exit code, and the worker is replaced", () =>
  withPool({}, { dies, whoAmI }, async ({ call }) => {
    const before = await call.whoAmI();
    for (const why of ["once", "twice"]) {
      const error = crashed(await reason(call.dies(why)));
      assert.equal(error.exitCode, 1);
      assert.match(error.message, new RegExp(`exit code 1\\b.*${why}`));
    }
    assert.notEqual(await call.whoAmI(), before);
  }));

test("an exception in a timer rejects what the worker had taken, with the exception as cause", () =>
  withPool({}, { throwsInTimer, sleepy, double }, async ({ call }) => {
    const taken = [reason(call.sleepy(10_000)), reason(call.throwsInTimer())];
    for (const error of await Promise.all(taken)) {
      const { cause, message } = crashed(error);
      assert.ok(cause instanceof RangeError);
      assert.equal(cause.message, "in a timer");
      assert.match(message, /in a timer/);
    }
    assert.equal(await call.double(2), 4);
  }));

test("an unhandled rejection in a worker is its death", () =>
  withPool({}, { rejectsUnseen, double }, async ({ call }) => {
    assert.match(String(crashed(await reason(call.rejectsUnseen())).cause), /seen by nobody/);
    assert.equal(await call.double(2), 4);
  }));

for (const steal of [true, false]) {
  for (const threads of [1, 2]) {
    test(`calls that nobody had taken are answered after a death, ${threads} threads, steal ${steal}`, () =>
      withPool({ threads, host: { steal } }, { dies, double }, async ({ call }) => {
        const death = reason(call.dies(2));
        const others = Array.from({ length: 5000 }, (_, i) => call.double(i));
        crashed(await death);
        assert.deepEqual(await Promise.all(others), Array.from({ length: 5000 }, (_, i) => i * 2));
      }));
  }
}

test("a death leaves the calls of the other workers alone", () =>
  withPool({ threads: 3, balancer: "roundRobin", host: { steal: false } }, { dies, sleepy }, async ({ call }) => {
    const [, ...others] = [reason(call.dies(2)), call.sleepy(200), call.sleepy(201)];
    assert.deepEqual(await Promise.all(others), [200, 201]);
  }));

test("a worker that runs out of memory rejects what it had taken and nothing else, and is replaced", { timeout: 120_000 }, async (t) => {
  if (runtime !== "node" || inProcesses) return skip(t, "only threads of Node.js have limits of their own");
  const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 24 };
  await withPool({ threads: 2, balancer: "roundRobin", host: { steal: true }, worker: { resourceLimits } }, { exhausts, busy, double }, async ({ call, stats }) => {
    for (let round = 0; round < 3; round++) {
      // One worker has this to itself, so the other gets the next.
      const beside = call.busy(300);
      const exhausted = reason(call.exhausts());
      const behind = Array.from({ length: 1000 }, (_, n) => call.double(n));
      const error = crashed(await within(exhausted, "a call that takes all memory"));
      assert.equal((error.cause as { code?: unknown }).code, "ERR_WORKER_OUT_OF_MEMORY");
      assert.equal(typeof (await beside), "number");
      assert.deepEqual(await Promise.all(behind), behind.map((_, n) => n * 2));
    }
    assert.equal(await eventually(3, () => stats().respawns), 3);
  });
});

test("what was answered before a death counts", () =>
  withPool({}, { answersThenDies, double }, async ({ call, stats }) => {
    for (let round = 0; round < 5; round++) {
      assert.equal(typeof (await call.answersThenDies(1)), "number");
      assert.equal(await eventually(round + 1, () => stats().respawns), round + 1);
      assert.equal(await call.double(round), round * 2);
    }
  }));

test("every call settles exactly once through twenty deaths under load", { timeout: 120_000 }, () =>
  withPool({ threads: 2 }, { dies, diesLater, echo, sleepy }, async ({ call }) => {
    let [answered, lost, deaths] = [0, 0, 0];
    for (let round = 0; round < 20; round++) {
      const calls: Promise<unknown>[] = [];
      const count = (promise: Promise<unknown>, expected: unknown): void => {
        calls.push(
          promise.then(
            (value) => {
              assert.deepStrictEqual(value, expected);
              answered++;
            },
            (error) => {
              crashed(error);
              lost++;
            },
          ),
        );
      };
      for (let i = 0; i < 500; i++) {
        count(call.echo({ round, i, text: "x".repeat(i * 10) }), { round, i, text: "x".repeat(i * 10) });
        if (i % 50 === 0) count(call.sleepy(i % 7), i % 7);
        if (i === 250) calls.push(reason(round % 2 ? call.dies(1) : call.diesLater(1)).then(crashed).then(() => void deaths++));
      }
      await within(Promise.all(calls), `calls of round ${round}`);
    }
    assert.equal(deaths, 20);
    assert.equal(answered + lost, 20 * 510);
  }));

test("an idle worker's death is noticed, and its replacement serves", () =>
  withPool({}, { answersThenDies, whoAmI }, async ({ call, stats }) => {
    const before = await call.answersThenDies(20);
    assert.equal(await eventually(1, () => stats().respawns), 1);
    assert.notEqual(await call.whoAmI(), before);
  }));

test("a replacement starts with fresh shapes, both ways", () =>
  withPool({}, { shaped, echo, dies }, async ({ call }) => {
    const rounds = [["a", "b", "c"], ["c", "x"], ["b", "y", "a"], ["z"]];
    for (const keys of rounds) {
      for (let again = 0; again < 12; again++) {
        for (const key of keys) {
          const expected = { [key]: 1, [`${key}2`]: "two" };
          assert.deepStrictEqual(await call.shaped(key), expected);
          assert.deepStrictEqual(await call.echo({ host: expected }), { host: expected });
        }
      }
      crashed(await reason(call.dies(1)));
    }
  }));

test("the memory of large values comes back from dead workers", { timeout: 120_000 }, () =>
  withPool({ payload: { payloadMaxByteLength: 1024 * 1024, maxPayloadBytes: 500_000 } }, { diesWith, echo, diesLater }, async ({ call }) => {
    for (let round = 0; round < 12; round++) {
      const bytes = new Uint8Array(300_000);
      // One that kills, one that waits in the same worker, one that comes after.
      const killed = [reason(call.diesWith(bytes)), call.echo(bytes).then((got) => (got as Uint8Array).length, crashed)];
      crashed(await killed[0]);
      const second = await killed[1];
      assert.ok(second === 300_000 || second instanceof WorkerCrashedError);
      assert.equal(((await call.echo(bytes)) as Uint8Array).length, 300_000);
    }
  }));

test("respawn: false: one dies, the others go on, without its queue being lost", () =>
  withPool({ threads: 2, host: { steal: false }, worker: { respawn: false } }, { dies, double, whoAmI }, async ({ call }) => {
    const death = reason(call.dies(1));
    const queued = Array.from({ length: 1000 }, (_, i) => call.double(i));
    crashed(await death);
    assert.deepEqual(await Promise.all(queued), Array.from({ length: 1000 }, (_, i) => i * 2));
    const ids = new Set(await Promise.all(Array.from({ length: 50 }, () => call.whoAmI())));
    assert.equal(ids.size, 1);
  }));

test("respawn: false: when all are dead every call rejects, those that wait and those that come", () =>
  withPool({ threads: 2, balancer: "roundRobin", worker: { respawn: false } }, { dies, sleepy, double }, async ({ call }) => {
    const waiting = [reason(call.dies(1)), reason(call.dies(1)), ...Array.from({ length: 20 }, (_, i) => reason(call.double(i)))];
    for (const error of await within(Promise.all(waiting), "calls of a pool without workers")) crashed(error);
    crashed(await within(reason(call.double(1)), "a call to a pool without workers"));
  }));
