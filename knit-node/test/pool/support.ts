/**
 * What the pool's tests share: pools that end with their test, guards against hanging, scripts in processes of their own.
 *
 * The tasks live in `../fixtures`: a worker imports the module of a task, and a module of tests would register its tests there again.
 */
import { spawn } from "node:child_process";
import { test } from "node:test";
import type { TestContext, TestOptions } from "node:test";
import { fileURLToPath } from "node:url";

import { createPool } from "../../ts/index.ts";
import type { Pool, PoolOptions, Tasks } from "../../ts/index.ts";
import { inProcesses, kind } from "../fixtures/kind.ts";

/** The runtime that runs this test. */
export const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** Skips the test that asks, and prints why: not every runner shows it. */
export function skip(t: { readonly name: string; skip(message?: string): void }, why: string): void {
  console.log(`skipped on ${runtime}: ${t.name}: ${why}`);
  t.skip(why);
}

type Body = (t: TestContext) => unknown;

/** As `test`, for what only threads have: with processes it is skipped, and says why. */
export function testOfThreads(why: string): (name: string, options: TestOptions | Body, body?: Body) => void {
  return (name, options, body) => {
    const [given, run] = typeof options === "function" ? [{}, options] : [options, body as Body];
    void test(name, given, inProcesses ? (t) => skip(t, why) : (t) => run(t) as Promise<void>);
  };
}

/** What takes so long hangs, however slow and busy the machine is. Less than what a runner gives a test, so that the test says what hung. */
export const GUARD_MS = Number(process.env.KNIT_TEST_GUARD_MS ?? 100_000);

/** `promise`, or a failure that says what hung. */
export async function within<T>(promise: Promise<T>, what: string, ms = GUARD_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const guard = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hangs: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, guard]);
  } finally {
    clearTimeout(timer);
  }
}

/** Uses a pool, and ends it whatever happens. */
export async function withPool<T extends Tasks>(options: PoolOptions, tasks: T, use: (pool: Pool<T>) => Promise<void>): Promise<void> {
  const pool = createPool(kind(options))(tasks);
  try {
    await within(use(pool), "the use of a pool");
  } finally {
    await within(pool.shutdown(), "shutdown()");
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `read` gives what is expected, and returns what it gave last. Half the guard's time: the test says what was wrong, not that it hangs. */
export async function eventually<T>(expected: T, read: () => T | Promise<T>): Promise<T> {
  let last = await read();
  for (const end = performance.now() + GUARD_MS / 2; last !== expected && performance.now() < end; last = await read()) await sleep(10);
  return last;
}

/** Occupies this thread. */
export function burn(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** What a promise rejects with. */
export async function reason(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error("resolved, though it had to reject", { cause: value });
}

/** Node's name of a flag, in the words of this runtime. */
function flag(name: string): string {
  return runtime === "deno" && name === "--expose-gc" ? "--v8-flags=--expose-gc" : name;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a script of `../fixtures` in a process of its own, with this runtime; kills it, and fails, if it does not end. */
export function script(name: string, args: readonly string[] = [], flags: readonly string[] = [], more: Readonly<Record<string, string>> = {}, ms = GUARD_MS): Promise<Ended> {
  const file = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
  const run = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
  // Not what the test runner told its own children.
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const child = spawn(process.execPath, [...run, ...flags.map(flag), file, ...args], { env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${name} ${args.join(" ")} does not end; it said: ${out}\n${err}`));
    }, ms);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      // Where threads cannot be held to the default, that is said once; `test/permission` is about it.
      resolve({ code, signal, out, err: err.replace(/^.*knitting: permission: the default is not enforced in full.*\n/gm, "") });
    });
  });
}
