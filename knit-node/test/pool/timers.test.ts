/**
 * `worker.timers`: how an idle worker looks for calls.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { debugFor } from "../../ts/api/debug.ts";
import { settings } from "../../ts/api/options.ts";
import { Host } from "../../ts/host/host.ts";
import { engine, later } from "../../ts/runtime/current.ts";
import type { Native } from "../../ts/runtime/native.ts";
import { Loop } from "../../ts/worker/loop.ts";
import { busy, double } from "../fixtures/basic.ts";
import { sleep, within, withPool } from "./support.ts";

/** A host, and a worker in this very thread that does not hear its bell. */
function withDeafWorker(parkMs: number, use: (host: Host) => Promise<void>): Promise<void> {
  const chosen = settings({}, withDeafWorker);
  const native = engine();
  const host = new Host(native, chosen, later, [null], debugFor([], "pool"));
  let ring = (): void => {};
  const workerBell = (_: number, callback: () => void): void => void (ring = callback);
  const deaf = new Proxy(native, { get: (of, name) => (name === "workerBell" ? workerBell : (Reflect.get(of, name) as unknown)) }) as Native;
  const boot = {
    token: native.hostToken(host.handle),
    index: 0,
    epoch: host.begin(0),
    steal: true,
    spinMicroseconds: 0,
    parkMs,
    pauseNanoseconds: 0,
    maxPayloadBytes: chosen.maxPayloadBytes,
    hardTimeoutMs: 0,
    bindings: [],
    memories: null,
    bootstrap: null,
    debug: [],
    pool: "pool",
    restriction: null,
  };
  return new Promise<void>((resolve, reject) => {
    const stopped = (): void => {
      host.close();
      resolve();
    };
    const loop = new Loop(deaf, boot, [(n) => (n as number) * 2], later, stopped, () => {});
    loop.start();
    use(host).catch(reject).finally(() => {
      host.fail(new Error("over"));
      host.stop(0);
      ring();
    });
  });
}

test("a worker that is not woken looks by itself after parkMs, again and again", () =>
  within(withDeafWorker(10, async (host) => {
    for (let n = 1; n <= 3; n++) {
      await sleep(30);
      assert.equal(await within(host.call(0, n), "a call to a worker that is not woken"), n * 2);
    }
  }), "a worker that looks by itself"));

test("without parkMs nothing but its bell wakes a worker", () =>
  within(withDeafWorker(0, async (host) => {
    await sleep(10);
    const call = host.call(0, 1).then(() => "answered", () => "over");
    assert.equal(await Promise.race([call, sleep(300).then(() => "asleep")]), "asleep");
  }), "a worker that sleeps"));

test("a worker that pauses between looks finds calls later, but every one", () =>
  withPool({ worker: { timers: { spinMicroseconds: 20_000, pauseNanoseconds: 1_000_000 } } }, { double }, async ({ call }) => {
    await call.double(0);
    // Each comes just after the worker has looked in vain; a tenth of what the pauses make of it must show.
    const start = performance.now();
    for (let n = 0; n < 100; n++) assert.equal(await call.double(n), n * 2);
    assert.ok(performance.now() - start > 10, `${performance.now() - start} ms for a hundred calls`);
  }));

test("with parkMs a busy and an idle pool work as ever", () =>
  withPool({ threads: 2, worker: { timers: { parkMs: 1 } } }, { double }, async ({ call }) => {
    for (let round = 0; round < 20; round++) {
      const calls = Array.from({ length: 50 }, (_, n) => call.double(n));
      assert.deepEqual(await Promise.all(calls), calls.map((_, n) => n * 2));
      await sleep(5);
    }
  }));

test("a sleeping host hears of a reply while its worker searches for more", { timeout: 120_000 }, () =>
  // A hundred seconds, were each reply heard when the search is over.
  withPool({ worker: { timers: { spinMicroseconds: 1_000_000 } } }, { busy }, async ({ call }) => {
    for (let i = 0; i < 100; i++) await call.busy(5);
  }));
