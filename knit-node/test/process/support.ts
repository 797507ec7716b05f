/**
 * What the tests of worker processes share.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";

import type { PoolOptions } from "../../ts/index.ts";
import { sleep } from "../pool/support.ts";

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

/** Whether a process lives. One that has ended and was not reaped does not. */
export function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
}

/** Whether a process ends within that time. */
export async function endsWithin(pid: number, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; ) {
    if (!lives(pid)) return true;
    await sleep(10);
  }
  return !lives(pid);
}
