/**
 * `worker.processSharedMemory: "named"`: workers whose wrapper closes everything that they could inherit, and names that never stay.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, statSync, utimesSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import assert from "node:assert/strict";

import { OptionError, WorkerStartError, createPool } from "../../ts/index.ts";
import type { PoolOptions } from "../../ts/index.ts";
import { ProcessSharedBuffer } from "../../ts/shared-memory/process-shared-buffer.ts";
import { increments, makes } from "../fixtures/matrix.ts";
import { args, double, pid } from "../fixtures/process.ts";
import { lastArgument, namePrefix, names } from "../fixtures/named.ts";
import { reason, skip, sleep, within, withPool } from "../pool/support.ts";
import { cannotRun, endsWithin, lives, processes } from "./support.ts";

const tasks = { double, pid, increments, makes, args, lastArgument };

/** Closes and replaces all that it has itself inherited, but for what it prints through. */
const CLOSES = ["bash", "-c", 'exec 0</dev/null; for fd in /proc/self/fd/*; do n=${fd##*/}; [ "$n" -gt 2 ] && eval "exec $n>&-"; done; exec "$0" "$@"'];
const noBash = cannotRun("bash", "-c", "true");

function named(worker: NonNullable<PoolOptions["worker"]> = {}, more: PoolOptions = {}): PoolOptions {
  return processes({ processSharedMemory: { mode: "named", namePrefix }, ...worker }, { threads: 2, ...more });
}

async function until(what: string, met: () => boolean): Promise<void> {
  for (const end = performance.now() + 30_000; !met(); await sleep(10)) assert.ok(performance.now() < end, what);
}

/** Calls, and memory both ways. */
async function serves({ call }: { call: any }): Promise<void> {
  assert.deepEqual(await Promise.all(Array.from({ length: 500 }, (_, i) => call.double(i))), Array.from({ length: 500 }, (_, i) => i * 2));
  const buffer = ProcessSharedBuffer.create(64);
  await call.increments({ buffer });
  assert.deepEqual([...buffer.view(Int32Array)].slice(0, 3), [1, 1, 1]);
  buffer.close();
  const { list } = await call.makes(4096);
  assert.equal(list[0].bytes()[4095], 7);
  for (const made of list) made.close();
}

for (const permission of ["strict", "unsafe"] as const) {
  test(`behind a wrapper that closes everything, ${permission} workers find their pool by a name, which is gone then`, async (t) => {
    if (noBash !== null) return skip(t, noBash);
    const inherits = createPool(processes({ processCommandPrefix: CLOSES, respawn: false }, { permission }))({ double });
    const failure = await within(reason(inherits.call.double(1)), "a worker that inherits nothing");
    assert.ok(failure instanceof WorkerStartError, String(failure));
    assert.match(failure.message, /standard input[^]*"named"/);
    await inherits.shutdown();

    await withPool(named({ processCommandPrefix: CLOSES }, { permission }), tasks, async (pool) => {
      await serves(pool);
      assert.deepEqual(await pool.call.args(), [], "what tells the name is no argument of the program");
      // Until the other worker is up, too.
      await until(`names are left: ${names().join()}`, () => names().length === 0);
    });
  });
}

test("without a wrapper as well", () => withPool(named(), tasks, serves));

for (const processRuntime of ["node", "deno", "bun"] as const) {
  test(`workers of ${processRuntime} connect to a name`, (t) => {
    const why = noBash ?? cannotRun(processRuntime, "--version");
    if (why !== null) return skip(t, why);
    return withPool(named({ processRuntime, processCommandPrefix: CLOSES }, { threads: 1, permission: "unsafe" }), tasks, serves);
  });
}

test("a worker that takes the place of a dead one gets a name of its own", (t) => {
  if (noBash !== null) return skip(t, noBash);
  return withPool(named({ processCommandPrefix: CLOSES }, { threads: 1, permission: "unsafe" }), tasks, async ({ call }) => {
    const told = new Set<string>();
    for (let life = 0; life < 3; life++) {
      const word = (await call.lastArgument()) ?? "";
      assert.match(word, new RegExp(`^--knit-worker=/dev/shm/${namePrefix}-[0-9a-f]{32}\\.knit$`));
      told.add(word);
      const worker = await call.pid();
      process.kill(worker, "SIGKILL");
      assert.ok(await endsWithin(worker, 30_000));
      await serves({ call });
    }
    assert.equal(told.size, 3);
    assert.deepEqual(names(), []);
  });
});

test("a name is this user's alone, and goes with a pool whose worker never came", async () => {
  const pool = createPool(named({ processCommandPrefix: ["sh", "-c", "exec sleep 600"] }, { threads: 1 }))({ double });
  const call = reason(pool.call.double(1));
  const [name] = names();
  const { mode, uid } = statSync(`/dev/shm/${name}`);
  assert.equal(mode & 0o777, 0o600);
  assert.equal(uid, process.getuid?.());
  await within(pool.shutdown(), "shutdown()");
  assert.deepEqual(names(), []);
  assert.match(String(await call), /shut ?down|closed/i);
});

test("a worker that cannot see the name says so, and its calls reject", async () => {
  // Another word than the host's, as behind another /dev/shm.
  const blind = ["sh", "-c", 'for word; do shift; case $word in --knit-worker=*) word=--knit-worker=/dev/shm/none.knit;; esac; set -- "$@" "$word"; done; exec "$@"', "blind"];
  const pool = createPool(named({ processCommandPrefix: blind, respawn: false }, { threads: 1, permission: "unsafe" }))({ double });
  const error = await within(reason(pool.call.double(1)), "a worker that finds no name");
  assert.ok(error instanceof WorkerStartError, String(error));
  assert.match(error.message, /\/dev\/shm\/none\.knit/);
  await pool.shutdown();
  assert.deepEqual(names(), []);
});

const script = fileURLToPath(new URL("../fixtures/named.ts", import.meta.url));

function host(way: string) {
  const run = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return spawn(process.execPath, [...run, script, way], { env, stdio: ["ignore", "pipe", "inherit"] });
}

test("workers of a host that is killed end, and no name is left", async () => {
  const child = host("serves");
  const [line] = (await within(once(child.stdout, "data"), "the host's workers")) as [Buffer];
  const { prefix, workers } = JSON.parse(line.toString()) as { prefix: string; workers: number[] };
  assert.ok(workers.every(lives));
  assert.deepEqual(names(prefix), []);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await within(ended, "the host's end");
  for (const worker of workers) assert.ok(await endsWithin(worker, 30_000), `worker ${worker} lives`);
  assert.deepEqual(names(prefix), []);
});

test("a host that is killed while its workers start: they remove their names", async () => {
  const child = host("starts");
  const [line] = (await within(once(child.stdout, "data"), "the host")) as [Buffer];
  const { prefix } = JSON.parse(line.toString()) as { prefix: string };
  assert.equal(names(prefix).length, 2);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await within(ended, "the host's end");
  await until(`names are left: ${names(prefix).join()}`, () => names(prefix).length === 0);
});

test("what a host and its workers leave that are killed together goes with the next pool", async () => {
  const child = host("never");
  const [line] = (await within(once(child.stdout, "data"), "the host")) as [Buffer];
  const { prefix } = JSON.parse(line.toString()) as { prefix: string };
  const left = names(prefix);
  assert.equal(left.length, 2);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await within(ended, "the host's end");
  assert.deepEqual(names(prefix), left, "nobody else is there to remove them");
  // Names are left alone for their first moments.
  for (const name of left) utimesSync(`/dev/shm/${name}`, 1, 1);
  await withPool(named({}, { permission: "unsafe" }), tasks, serves);
  assert.deepEqual(names(prefix), []);
  for (const pid of readdirSync("/proc")) {
    if (/^\d+$/.test(pid) && command(pid).includes(`/dev/shm/${prefix}-`)) process.kill(Number(pid), "SIGKILL");
  }
});

function command(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

test("options that cannot be are refused, and say what can", () => {
  const refuses = (processSharedMemory: unknown, says: RegExp): void => {
    const worker = { runtime: "process", processSharedMemory } as never;
    assert.throws(() => createPool({ worker })({ double }), (error) => error instanceof OptionError && says.test(error.message));
  };
  refuses("shared", /processSharedMemory must be one of inherit, named, not "shared"/);
  refuses({ mode: "nammed" }, /processSharedMemory\.mode must be one of inherit, named/);
  refuses({ mode: "named", prefix: "a" }, /no option "prefix": did you mean "namePrefix"/);
  for (const namePrefix of ["", "a/b", ".hidden", "x".repeat(31), "nul\0", "a b", 5]) refuses({ mode: "named", namePrefix }, /namePrefix must be 1 to 30/);
  refuses({ mode: "inherit", namePrefix: "a" }, /namePrefix is for mode: "named"/);
  refuses({ mode: "named", unlinkOnShutdown: false }, /unlinkOnShutdown can only be true/);
  assert.throws(() => createPool({ worker: { processSharedMemory: "named" } })({ double }), /processSharedMemory is for worker\.runtime: "process"/);
});
