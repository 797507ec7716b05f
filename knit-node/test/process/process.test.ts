/**
 * Workers that are processes: the same pool, the same promises, and what only processes have.
 */
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import assert from "node:assert/strict";

import { OptionError, WorkerCrashedError, createPool } from "../../ts/index.ts";
import { args, double, hangs, lastWords, main, pid, refused, stuck, variable, waits } from "../fixtures/process.ts";
import { collect } from "../fixtures/collect.ts";
import { Gate } from "../fixtures/held.ts";
import { reason, script, within, withPool } from "../pool/support.ts";
import { LONG_MS, endsWithin, lives, processes } from "./support.ts";

function crashed(error: unknown): WorkerCrashedError {
  assert.ok(error instanceof WorkerCrashedError, String(error));
  return error;
}

test("tasks run in other processes, which are gone after shutdown()", async () => {
  const pids = new Set<number>();
  await withPool(processes({}, { threads: 3, balancer: "roundRobin" }), { pid }, async ({ call }) => {
    for (let i = 0; i < 30; i++) pids.add(await call.pid());
  });
  assert.equal(pids.size, 3);
  for (const one of pids) assert.ok(one !== process.pid && !lives(one));
});

test("a worker process is told nothing by its arguments, and is not the main one", () =>
  withPool(processes(), { args, main, refused }, async ({ call }) => {
    assert.deepEqual(await call.args(), []);
    assert.equal(await call.main(), false);
    assert.equal(await call.refused(), "KNT_POOL_IN_WORKER");
  }));

test("a worker that is killed rejects what it had taken, with the signal and its last words, and is replaced", () =>
  withPool(processes({}, { threads: 2 }), { pid, lastWords, double }, async ({ call }) => {
    const gate = new Gate();
    const taken = reason(call.lastWords({ text: "first line\nlast line\n", shared: gate.shared }));
    const others = Array.from({ length: 500 }, (_, i) => call.double(i));
    assert.deepEqual(await Promise.all(others), Array.from({ length: 500 }, (_, i) => i * 2));
    // Then one of them has taken it, whichever it is; who answers is the other one.
    await gate.taken();
    gate.shared.close();
    const other = await within(call.pid(), "the free worker");
    for (const child of childrenOf(process.pid)) if (child !== other) process.kill(child, "SIGKILL");
    const error = crashed(await within(taken, "the call of a killed worker"));
    assert.equal(error.signal, "SIGKILL");
    assert.equal(error.exitCode, null);
    assert.equal(error.stderr, "first line\nlast line");
    assert.match(error.message, /by SIGKILL.*last line/s);
    assert.equal(await call.double(4), 8);
  }));

/** The worker processes that a process has started. */
function childrenOf(parent: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    const id = Number(name);
    if (!Number.isInteger(id)) return [];
    try {
      const stat = readFileSync(`/proc/${id}/stat`, "utf8");
      const [, ppid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const command = readFileSync(`/proc/${id}/cmdline`, "utf8");
      return Number(ppid) === parent && command.includes("--knit-worker") ? [id] : [];
    } catch {
      return [];
    }
  });
}

test("shutdown() ends workers that are stuck, and those that wait", async () => {
  for (const name of ["stuck", "hangs"] as const) {
    const pool = createPool(processes())({ pid, stuck, hangs });
    const worker = await pool.call.pid();
    const open = reason(pool.call[name]());
    await within(pool.shutdown(), "shutdown() of a pool with a stuck process");
    assert.equal(((await open) as { code?: string }).code, "KNT_POOL_CLOSED");
    assert.ok(!lives(worker));
  }
});

test("workers inherit the environment as it is when they start", async () => {
  process.env["KNIT_TEST_VARIABLE"] = "at the start = ä";
  await withPool(processes({}, { permission: "unsafe" }), { variable }, async ({ call }) => {
    assert.equal(await call.variable("KNIT_TEST_VARIABLE"), "at the start = ä");
  });
  delete process.env["KNIT_TEST_VARIABLE"];
});

test("what a worker says on standard error comes out of the host's", async () => {
  const { code, err } = await script("process.ts", ["speaks"]);
  assert.equal(code, 0, err);
  assert.match(err, /^heard by the host$/m);
});

test("a script that forgets shutdown() ends, and its workers do", async () => {
  const { code, out, err } = await script("process.ts", ["forgets"]);
  assert.equal(code, 0, err);
  for (const worker of JSON.parse(out) as number[]) assert.ok(await endsWithin(worker, LONG_MS));
});

test("pools leave no descriptor and no thread behind", async () => {
  const count = (): number[] => [readdirSync("/proc/self/fd").length, readdirSync("/proc/self/task").length];
  const round = (): Promise<void> =>
    withPool(processes({}, { threads: 2 }), { double }, async ({ call }) => {
      assert.equal(await call.double(1), 2);
    });
  await round();
  await collect();
  const [fds, tasks] = count();
  for (let i = 0; i < 5; i++) await round();
  // Memory that is still shown goes with the last buffer that shows it, a thread when it has taken its last steps.
  let [fdsAfter, tasksAfter] = count();
  for (let tries = 0; tries < 1000 && (tries < 3 || fdsAfter > fds + 4 || tasksAfter > tasks + 4); tries++) {
    await collect();
    [fdsAfter, tasksAfter] = count();
  }
  assert.ok(fdsAfter <= fds + 4, `${fds} descriptors, then ${fdsAfter}`);
  assert.ok(tasksAfter <= tasks + 4, `${tasks} threads, then ${tasksAfter}`);
});

test("calls that a worker's timers answer are answered while it is idle otherwise", () =>
  withPool(processes(), { waits }, async ({ call }) => {
    assert.deepEqual(await Promise.all([call.waits(30), call.waits(1), call.waits(60)]), [30, 1, 60]);
  }));

test("options for processes are refused for threads, and the other way round", () => {
  for (const options of [
    { worker: { processRuntime: "node" } },
    { worker: { runtime: "thread", processCommandPrefix: ["nice"] } },
    { worker: { runtime: "process", resourceLimits: { maxOldGenerationSizeMb: 50 } } },
    { worker: { runtime: "process", processRuntime: "quickjs" } },
    { worker: { runtime: "process", processCommandPrefix: "nice" } },
    { worker: { runtime: "process", processCommandPrefix: ["a\0b"] } },
  ]) {
    assert.throws(() => createPool(options as never), OptionError, JSON.stringify(options));
  }
});
