/**
 * Workers that are programs in Rust: `knit-sched/examples/table.rs`, which parses CSV.
 */
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import assert from "node:assert/strict";

import { KnitError, OptionError, TaskBindingError, UnsupportedValueError, WorkerCrashedError, createPool, nativeTask } from "../../ts/index.ts";
import { double } from "../fixtures/basic.ts";
import { reason, skip, within, withPool } from "../pool/support.ts";
import { processes, startsOnce } from "./support.ts";

const built = ["release", "debug"].map((profile) => fileURLToPath(new URL(`../../../target/${profile}/examples/table`, import.meta.url)));
// Whichever is newer: the other may be from another version.
const [program] = built.filter((path) => existsSync(path)).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
const why = program === undefined ? "the example is not built: cargo build -p knit-sched --examples" : null;
const options = processes({ command: [program ?? ""] }, { threads: 2 });

const summary = nativeTask<(job: { text: string; column: string }) => { rows: number; sum: number; mean: number }>("summary");
const reversed = nativeTask<(bytes: Uint8Array) => Uint8Array>("reversed");
const repeated = nativeTask<(what: [text: string, times: number]) => string>("repeated");
const unsendable = nativeTask<() => undefined>("unsendable");
const caused = nativeTask<() => undefined>("caused");
const panics = nativeTask<(why: string) => undefined>("panics");

test("a program's tasks are called as any other", (t) => {
  if (why !== null) return skip(t, why);
  return withPool(options, { summary, reversed }, async ({ call }) => {
    for (let round = 0; round < 5; round++) {
      const result = await call.summary({ text: "name,price\nä,1.5\nb,2.5\n", column: "price" });
      assert.deepEqual(result, { rows: 2, sum: 4, mean: 2 });
    }
    const many = await Promise.all(Array.from({ length: 1000 }, (_, n) => call.summary({ text: `n\n${n}\n`, column: "n" })));
    assert.deepEqual(many.map(({ sum }) => sum), Array.from({ length: 1000 }, (_, n) => n));
    for (const length of [0, 1, 1000, 10_000, 300_000, 3_000_000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
      assert.deepEqual(await call.reversed(bytes), bytes.slice().reverse());
    }
  });
});

for (const permission of ["strict", "unsafe"] as const) {
  test(`a ${permission} program finds its pool by a name`, (t) => {
    if (why !== null) return skip(t, why);
    const prefix = ["sh", "-c", 'exec "$0" "$@" </dev/null'];
    const named = processes({ command: [program ?? ""], processCommandPrefix: prefix, processSharedMemory: "named" }, { threads: 2, permission });
    return withPool(named, { summary }, async ({ call }) => {
      assert.deepEqual(await call.summary({ text: "n\n1\n", column: "n" }), { rows: 1, sum: 1, mean: 1 });
    });
  });
}

test("large texts arrive in a program whole", (t) => {
  if (why !== null) return skip(t, why);
  return withPool(options, { summary }, async ({ call }) => {
    const rows = Array.from({ length: 100_000 }, (_, n) => n % 10).join("\n");
    assert.deepEqual(await call.summary({ text: `n\n${rows}\n`, column: "n" }), { rows: 100_000, sum: 450_000, mean: 4.5 });
  });
});

test("what a program's task fails with rejects its call, and no other", (t) => {
  if (why !== null) return skip(t, why);
  return withPool(options, { summary, panics }, async ({ call }) => {
    const failed = reason(call.summary({ text: "n\n1\n", column: "x" }));
    const mistyped = reason(call.summary({ text: 5 } as never));
    const panicked = reason(call.panics("ouch"));
    const long = reason(call.panics("x".repeat(20_000)));
    assert.deepEqual(await call.summary({ text: "n\n1\n", column: "n" }), { rows: 1, sum: 1, mean: 1 });
    assert.match(String(await failed), /^Error: there is no column "x"$/);
    await refused(mistyped, "arg.text", /^Task "summary": the argument does not fit its type: arg\.text: expected a string, found integer 5$/);
    for (const error of [await panicked, await long]) {
      assert.ok(error instanceof KnitError && error.code === "KNT_FAILED", String(error));
      assert.match(error.message, /task "panics" panicked: (ouch|x{1000})/);
    }
  });
});

/** Rejected with what a value that cannot travel rejects with. */
async function refused(rejected: Promise<unknown>, path: string, says: RegExp): Promise<void> {
  const error = await rejected;
  assert.ok(error instanceof UnsupportedValueError, String(error));
  assert.deepEqual({ code: error.code, path: error.path }, { code: "KNT_ERROR_3", path });
  assert.match(error.message, says);
}

test("an argument of another type rejects its call, naming the task and what was expected", (t) => {
  if (why !== null) return skip(t, why);
  return withPool(options, { summary, reversed, panics, repeated }, async ({ call }) => {
    const calls: [Promise<unknown>, string, RegExp][] = [
      [call.summary({} as never), "arg", /"summary".*missing field `text`/],
      [call.summary(undefined as never), "arg", /"summary".*expected struct Job, found undefined or null/],
      [call.summary("text" as never), "arg", /"summary".*expected struct Job, found string "text"/],
      [call.summary({ text: "", column: ["n"] } as never), "arg.column", /"summary".* arg\.column: expected a string, found array/],
      [call.reversed([1, 300] as never), "arg[1]", /"reversed".* arg\[1\]: expected u8, found integer 300/],
      [call.panics(new Date(5) as never), "arg", /"panics".*expected a string/],
      [call.panics(10n ** 40n as never), "arg", /"panics".*bigint/],
      [call.repeated(["x", -1]), "arg[1]", /"repeated".* arg\[1\]: expected usize, found integer -1/],
    ];
    for (const [rejected, path, says] of calls.map(([call, ...wanted]) => [reason(call), ...wanted] as const)) await refused(rejected, path, says);
    assert.equal(await call.repeated(["ab", 2]), "abab");
  });
});

test("a result that cannot be written, or is over a limit, rejects its call", (t) => {
  if (why !== null) return skip(t, why);
  const payload = { payloadMaxByteLength: 1 << 20, maxPayloadBytes: 1 << 14 };
  return withPool({ ...options, payload }, { repeated, unsendable }, async ({ call }) => {
    await refused(reason(call.unsendable()), "result", /^Task "unsendable": the result cannot be sent: the table is not finished$/);
    // Over what the host takes, and over what the memory holds.
    await refused(reason(call.repeated(["x", 1 << 14])), "result", /more than 16384 bytes.*payload\.maxPayloadBytes/);
    await refused(reason(call.repeated(["x", 1 << 21])), "result", /^Task "repeated": .*2097168 bytes is longer than/);
    assert.equal(await call.repeated(["ab", 2]), "abab");
  });
});

test("an error that a task returns tells its causes", (t) => {
  if (why !== null) return skip(t, why);
  return withPool(options, { caused }, async ({ call }) => {
    assert.match(String(await reason(call.caused())), /^Error: the table cannot be joined: no such row$/);
  });
});

test("a task that the program does not have fails the pool, naming it", async (t) => {
  if (why !== null) return skip(t, why);
  const pool = createPool(options)({ summary, other: nativeTask<(n: number) => number>("other") });
  for (const error of [await within(reason(pool.call.other(1)), "a call of a missing task"), await within(reason(pool.call.summary({ text: "", column: "" })), "another call")]) {
    assert.ok(error instanceof TaskBindingError, String(error));
    assert.match(error.message, /no task "other".*"summary"/);
  }
  await within(pool.shutdown(), "shutdown()");
});

test("a program that is no worker: every call says how it ended", async () => {
  const pool = createPool(processes({ command: ["sh", "-c", "echo wrong program >&2; exit 4"], respawn: false }))({ summary });
  const error = await within(reason(pool.call.summary({ text: "", column: "" })), "a call to a program that ends");
  assert.ok(error instanceof KnitError && !(error instanceof WorkerCrashedError));
  assert.match(error.message, /exit code 4[^]*wrong program/);
  await within(pool.shutdown(), "shutdown()");
});

test("a program whose wrapper closes standard input: every call rejects at once, and says why", async (t) => {
  if (why !== null) return skip(t, why);
  await startsOnce({ command: [program ?? ""] }, { summary });
});

test("programs run their own tasks, and JavaScript runs its own: anything else is an error of createPool", () => {
  assert.throws(() => createPool(options)({ double }), OptionError);
  assert.throws(() => createPool({})({ summary }), OptionError);
  assert.throws(() => createPool(processes())({ summary }), OptionError);
  assert.throws(() => createPool(processes({ command: [] })), OptionError);
  assert.throws(() => createPool({ worker: { command: ["true"] } }), OptionError);
  assert.throws(() => createPool({ ...options, workerExecArgv: ["--x"] })({ summary }), OptionError);
  for (const timers of [{ spinMicroseconds: 0 }, { spinMicroseconds: 150 }, { parkMs: 5 }, { pauseNanoseconds: 0 }]) {
    const { worker } = options;
    assert.throws(() => createPool({ ...options, worker: { ...worker, timers } })({ summary }), (error) => error instanceof OptionError && /worker\.timers/.test(error.message));
  }
  assert.throws(() => nativeTask(""), OptionError);
});
