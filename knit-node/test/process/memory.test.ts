/**
 * Memory on its way to and from worker processes: nothing of it is left, and what cannot cross says why.
 */
import { existsSync } from "node:fs";
import { test } from "node:test";
import assert from "node:assert/strict";

import { KnitError } from "../../ts/index.ts";
import { ProcessSharedBuffer } from "../../ts/shared-memory/process-shared-buffer.ts";
import { collect } from "../fixtures/collect.ts";
import { echo, first, held, holds, later, make, makeNamed, makesAndDies } from "../fixtures/links.ts";
import { GUARD_MS, reason, skip, withPool } from "../pool/support.ts";
import { cannotRun, processes } from "./support.ts";

const tasks = { echo, first, holds, later, make, makeNamed, makesAndDies };

/** A size that nothing else here has. */
const BYTES = 4096 * 777;

test("neither side keeps memory or descriptors of calls that are settled, given up, refused, or lost with their worker", { timeout: 120_000 }, () =>
  withPool(processes({}, { threads: 2, permission: "unsafe" }), tasks, async ({ call }) => {
    await Promise.all(Array.from({ length: 20 }, () => call.echo(1)));
    await call.holds(BYTES);
    await collect();
    const [hostBefore, workerBefore] = [held(BYTES), await call.holds(BYTES)];
    assert.deepEqual([hostBefore.mappings, workerBefore.mappings], [0, 0]);
    for (let round = 0; round < 10; round++) {
      const buffers = Array.from({ length: 20 }, () => ProcessSharedBuffer.create(BYTES));
      const back = (await Promise.all(buffers.map((buffer) => call.echo([buffer, buffer])))) as ProcessSharedBuffer[][];
      await Promise.all(buffers.map((buffer) => reason(call.echo({ buffer, no: () => {} }))));
      const made = await call.make(BYTES);
      const controller = new AbortController();
      const given = buffers.map((buffer) => reason(call.later({ buffer, ms: 20 }, { signal: controller.signal })));
      controller.abort("given up");
      await Promise.all(given);
      for (const buffer of [...buffers, ...back.flat(), made]) buffer.close();
    }
    const dying = await Promise.allSettled([call.makesAndDies(BYTES), call.makesAndDies(BYTES)]);
    for (const end of dying) if (end.status === "fulfilled") end.value.close();
    for (const end = performance.now() + GUARD_MS / 2; ; ) {
      await collect();
      const [host, worker] = [held(BYTES), await call.holds(BYTES)];
      if (host.mappings === 0 && worker.mappings === 0 && host.descriptors <= hostBefore.descriptors && worker.descriptors <= workerBefore.descriptors) break;
      assert.ok(performance.now() < end, `left: ${JSON.stringify({ hostBefore, workerBefore, host, worker })}`);
    }
  }));

test("calls that carry more memory than a socket holds wait for workers that are not up yet, and are answered", () =>
  withPool(processes({}, { threads: 2, permission: "unsafe" }), tasks, async ({ call }) => {
    const buffers = Array.from({ length: 300 }, (_, i) => {
      const buffer = ProcessSharedBuffer.create(64);
      buffer.bytes()[0] = i;
      return buffer;
    });
    const answers = await Promise.all(buffers.map((buffer) => call.first(buffer)));
    assert.deepEqual(answers, buffers.map((_, i) => i & 255));
    for (const buffer of buffers) buffer.close();
  }));

test("memory with a name comes from no worker, since who holds it could shrink it: such an answer rejects its call, and nothing else", () =>
  withPool(processes({}, { permission: "unsafe" }), tasks, async ({ call }) => {
    const name = `unsealed-${process.pid}`;
    const refused = (error: unknown): void => {
      assert.ok(error instanceof KnitError && error.code === "SHM_UNSEALED", String(error));
      assert.match(error.message, /not sealed against shrinking/);
    };
    refused(await reason(call.makeNamed(name)));
    // The worker has made it.
    const named = ProcessSharedBuffer.create({ name, size: 4096, mode: "open" });
    ProcessSharedBuffer.unlink(name);
    named.bytes()[0] = 7;
    assert.equal(await call.first(named), 7, "to a worker, which trusts its host, it goes");
    refused(await reason(call.echo([named])));
    const made = await call.make(4096);
    assert.equal(made.size, 4096);
    for (const buffer of [named, made]) buffer.close();
  }));

test("memory crosses behind a wrapper, to and from a strict worker as well", () =>
  withPool(processes({ processCommandPrefix: ["env"] }), tasks, async ({ call }) => {
    const buffer = ProcessSharedBuffer.create(64);
    buffer.bytes()[0] = 9;
    assert.equal(await call.first(buffer), 9);
    const made = await call.make(64);
    assert.equal(made.bytes().length, 64);
    buffer.close();
    made.close();
  }));

test("a wrapper that closes descriptors: memory cannot cross, which says so, and everything else works", (t) => {
  const why = cannotRun("bash", "-c", "true");
  if (why !== null) return skip(t, why);
  const closes = ["bash", "-c", 'for fd in /proc/self/fd/*; do fd=${fd##*/}; if [ "$fd" -gt 2 ]; then eval "exec $fd>&-"; fi; done; exec "$0" "$@"'];
  return withPool(processes({ processCommandPrefix: closes }), tasks, async ({ call }) => {
    assert.equal(await call.echo(5), 5);
    const buffer = ProcessSharedBuffer.create(64);
    for (const error of [await reason(call.first(buffer)), await reason(call.make(64))]) {
      assert.ok(error instanceof KnitError && error.code === "KNT_NO_LINK", String(error));
      assert.match(error.message, /closes descriptors/);
    }
    assert.equal(await call.echo(6), 6);
    buffer.close();
  });
});

test("a worker that may have no more descriptors: the calls that it cannot be given memory for say so, and it lives on", (t) => {
  const why = cannotRun("prlimit", "--nofile=64", "true");
  if (why !== null || !existsSync("/proc/self/limits")) return skip(t, why ?? "there is no /proc");
  return withPool(processes({ processCommandPrefix: ["prlimit", "--nofile=64"] }, { permission: "unsafe" }), tasks, async ({ call }) => {
    await call.echo(1);
    const buffers = Array.from({ length: 100 }, () => ProcessSharedBuffer.create(64));
    const outcomes = await Promise.allSettled(buffers.map((buffer) => call.first(buffer)));
    const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
    assert.ok(refused.length > 0 && refused.length < 100, `${refused.length} were refused`);
    for (const error of refused) {
      assert.ok(error instanceof KnitError && error.code === "SHM_BAD_MESSAGE", String(error));
      assert.match(error.message, /may have no more of them open/);
    }
    // What the worker has closed goes with the last view of it.
    for (const end = performance.now() + GUARD_MS / 2; ; ) {
      await call.holds(BYTES);
      if ((await call.first(buffers[0]!).catch(() => -1)) === 0) break;
      assert.ok(performance.now() < end, "it has descriptors again");
    }
    for (const buffer of buffers) buffer.close();
  });
});
