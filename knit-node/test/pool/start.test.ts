/**
 * A pool whose workers cannot start says why, for every call, and never hangs.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { TaskBindingError, WorkerStartError, createPool, setModuleUrl, task } from "../../ts/index.ts";
import type { Task } from "../../ts/index.ts";
import { double } from "../fixtures/basic.ts";
import { first, onlyOnHost } from "../fixtures/broken/differs.ts";
import { unreachable as dies } from "../fixtures/broken/dies.ts";
import { unreachable as exits } from "../fixtures/broken/exits.ts";
import { unreachable as importsNever } from "../fixtures/broken/imports-never.ts";
import { make } from "../fixtures/broken/late-made.ts";
import { unreachable as missingImport } from "../fixtures/broken/missing-import.ts";
import { unreachable as never } from "../fixtures/broken/never.ts";
import { unreachable as throwsValue } from "../fixtures/broken/throws-value.ts";
import { unreachable as throws } from "../fixtures/broken/throws.ts";
import { inProcesses, kind } from "../fixtures/kind.ts";
import { reason, runtime, skip, sleep, within } from "./support.ts";

type Expected = { readonly is: new (...args: never[]) => Error; readonly code: string; readonly says: RegExp };
const BINDING = { is: TaskBindingError, code: "KNT_TASK_BINDING" };
const START = { is: WorkerStartError, code: "KNT_WORKER_START" };

/** Every call of such a pool rejects: made before the worker failed, after, to whichever task. */
async function everyCallRejects(broken: Task, { is, code, says }: Expected): Promise<void> {
  for (const threads of [1, 3]) {
    const pool = createPool(kind({ threads }))({ myTask: broken, double });
    try {
      const early = Array.from({ length: 50 }, () => pool.call.myTask());
      const check = (error: unknown): void => {
        assert.ok(error instanceof is, String(error));
        assert.equal((error as { code?: string }).code, code);
        assert.match((error as Error).message, says);
        const { name, stack } = error as Error;
        assert.ok(stack!.startsWith(`${name}: `) && !stack!.startsWith(`${name}: ${name}`), `${stack}`);
      };
      for (const error of await within(Promise.all([...early, pool.call.double(1)].map(reason)), "calls before the failure")) check(error);
      check(await within(reason(pool.call.myTask()), "a call after the failure"));
      await sleep(50);
      check(await within(reason(pool.call.double(2)), "a later call"));
    } finally {
      await within(pool.shutdown(), "shutdown() after a failure");
    }
  }
}

test("a module that makes another task in a worker: TaskBindingError, naming it", () =>
  everyCallRejects(first as Task, { ...BINDING, says: /"myTask"[^]*differs\.ts/ }));

test("a module that makes fewer tasks in a worker: TaskBindingError, naming the one that lacks", () =>
  everyCallRejects(onlyOnHost as Task, { ...BINDING, says: /"myTask"[^]*differs\.ts/ }));

test("a task made in a function that workers do not call: TaskBindingError, naming it", () =>
  everyCallRejects(make() as Task, { ...BINDING, says: /"myTask"[^]*late-made\.ts/ }));

test("a task of a module that is not there: WorkerStartError, naming the module", async () => {
  setModuleUrl(new URL("../fixtures/broken/no-such-module.ts", import.meta.url));
  const lost = task({ f: () => 1 });
  setModuleUrl(import.meta.url);
  await everyCallRejects(lost as Task, { ...START, says: /no-such-module\.ts/ });
});

test("a module that throws at import: WorkerStartError, with what it threw", async () => {
  await everyCallRejects(throws as Task, { ...START, says: /throws\.ts[^]*RangeError: no database here/ });
  await everyCallRejects(throwsValue as Task, { ...START, says: /throws-value\.ts[^]*just a string/ });
});

test("a module that imports what is not there: WorkerStartError, naming it", () =>
  everyCallRejects(missingImport as Task, { ...START, says: /not-there\.ts/ }));

test("a module that calls process.exit at import: WorkerStartError, with what that threw", () =>
  everyCallRejects(exits as Task, { ...START, says: /exits\.ts[^]*process\.exit\(\) was called in a worker/ }));

test("a module that dies at import of what nobody catches: WorkerStartError, naming it", () =>
  everyCallRejects(dies as Task, { ...START, says: /could not start: died at start-up/ }));

/** Deno says it of a process, in its own words. */
const neverEnds = (what: RegExp): Expected => ({ ...START, says: runtime === "deno" ? /Top-level await promise never resolved/ : new RegExp(`${what.source}.*nothing is left that it could wait for`) });
const ENDLESS_THREADS = "a thread of Deno waits for messages for ever, so nothing tells that its module will never be there; slow-start.test.ts has what is told";

test("a module that never finishes loading, with nothing left to do: WorkerStartError, naming it", async (t) => {
  if (runtime === "deno" && !inProcesses) return skip(t, ENDLESS_THREADS);
  await everyCallRejects(never as Task, neverEnds(/import file:.*\/never\.ts/));
});

test("a module that imports one that never finishes loading: WorkerStartError, naming it", async (t) => {
  if (runtime === "deno" && !inProcesses) return skip(t, ENDLESS_THREADS);
  await everyCallRejects(importsNever as Task, neverEnds(/import file:.*\/imports-never\.ts/));
});

test("a bootstrap function that never settles: WorkerStartError, naming it", async (t) => {
  if (runtime === "deno" && !inProcesses) return skip(t, ENDLESS_THREADS);
  const pool = createPool(kind({ worker: { bootstrap: { href: "../fixtures/control/boots.ts", name: "neverSettles" } } }))({ double });
  try {
    const error = await within(reason(pool.call.double(1)), "a call of a worker whose bootstrap never settles");
    assert.ok(error instanceof WorkerStartError, String(error));
    assert.match(error.message, /worker\.bootstrap: "neverSettles" of file:.*\/boots\.ts.*nothing is left that it could wait for/);
  } finally {
    await within(pool.shutdown(), "shutdown() after a failure");
  }
});

test("flags that the runtime does not know: an error of createPool that names them, of every call if workers are processes", async (t) => {
  if (inProcesses) {
    if (runtime === "bun") return skip(t, "Bun passes over flags that it does not know");
    const pool = createPool(kind({ workerExecArgv: ["--no-such-flag"], worker: { respawn: false } }))({ double });
    for (const call of [pool.call.double(1), pool.call.double(2)]) {
      const error = await within(reason(call), "a call of a worker with unknown flags");
      assert.ok(error instanceof WorkerStartError && error.message.includes("--no-such-flag"), String(error));
    }
    return pool.shutdown();
  }
  assert.throws(() => createPool(kind({ workerExecArgv: ["--no-such-flag"] }))({ double }), /--no-such-flag/);
});
