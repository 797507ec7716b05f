/**
 * What the tests of worker processes share.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";

import { WorkerStartError, createPool } from "../../ts/index.ts";
import type { PoolOptions, Tasks } from "../../ts/index.ts";
import { reason, sleep, within } from "../pool/support.ts";

type WorkerOptions = NonNullable<PoolOptions["worker"]>;

// The runtimes of the workspace.
const bin = fileURLToPath(new URL("../../../node_modules/.bin", import.meta.url));
const own = dirname(process.execPath);
process.env["PATH"] = ["Deno" in globalThis || "Bun" in globalThis ? "" : own, bin, process.env["PATH"] ?? ""].filter(Boolean).join(delimiter);

/** Options of a pool of processes. */
export function processes(worker: WorkerOptions = {}, more: PoolOptions = {}): PoolOptions {
  return { ...more, worker: { runtime: "process", ...worker } };
}

/** Why a program cannot be run here; null if it can. */
export function cannotRun(program: string, ...args: string[]): string | null {
  const { error, status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (error !== undefined) return `there is no ${program}`;
  return status === 0 ? null : `${program} does not work here: ${stderr.trim()}`;
}

type Called = Readonly<Record<string, (arg?: never) => Promise<unknown>>>;

/** Behind a wrapper that closes or replaces standard input every call rejects with the reason, and nothing is started again. */
export async function startsOnce(worker: WorkerOptions, tasks: Tasks): Promise<void> {
  for (const redirected of ["<&-", "</dev/null"]) {
    const folder = mkdtempSync(join(tmpdir(), "knit-starts-"));
    try {
      const starts = join(folder, "starts");
      const processCommandPrefix = ["sh", "-c", `echo >> '${starts}'; exec "$0" "$@" ${redirected}`];
      const pool = createPool(processes({ ...worker, processCommandPrefix }))(tasks);
      for (const call of Object.values(pool.call as unknown as Called)) {
        const error = await within(reason(call()), "a call without memory");
        assert.ok(error instanceof WorkerStartError, String(error));
        assert.match(error.message, /It said: standard input is not what a pool's host gives to its worker .*"named" is for such wrappers$/);
      }
      await within(pool.shutdown(), "shutdown() after a failure");
      assert.equal(readFileSync(starts, "utf8"), "\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

/** Whether a process lives. One that has ended and was not reaped does not. */
export function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
}

/** For ends that take some milliseconds where a processor is free, and would not come at all. */
export const LONG_MS = 30_000;

/** Whether a process ends within that time. */
export async function endsWithin(pid: number, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; ) {
    if (!lives(pid)) return true;
    await sleep(10);
  }
  return !lives(pid);
}
