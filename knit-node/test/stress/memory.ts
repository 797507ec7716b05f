/**
 * What the process has in use, and whether that has grown.
 *
 * The resident memory counts: it holds this thread's heap, the workers' heaps, the shared memory and whatever native code has. Measured after collections
 * here and after a rest, in which runtimes give back what they freed and dead workers go.
 */
import { readdirSync } from "node:fs";

const MIB = 1024 * 1024;
/** Bytes, or a part of what there was, by which a run may end above its mark: heaps of workers breathe. */
const SLACK = 48 * MIB;
const SLACK_PART = 0.25;

export interface Measure {
  /** Resident bytes. */
  readonly bytes: number;
  /** Open descriptors, or -1 where that is not told. */
  readonly descriptors: number;
  /** Threads, or -1. */
  readonly threads: number;
}

/** Milliseconds in which it may become as little as before: Deno keeps threads on which it has done something blocking for ten seconds. */
const PATIENCE_MS = 20_000;

/** Collects what can be, and measures; again for a while if that is more than `before`. */
export async function measure(before?: Measure): Promise<Measure> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const now = await look();
    if (before === undefined || growth([before, now]) === null || performance.now() > deadline) return now;
  }
}

async function look(): Promise<Measure> {
  let least = Infinity;
  for (let round = 0; round < 5; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 100));
    least = Math.min(least, process.memoryUsage().rss);
  }
  return { bytes: least, descriptors: count("/proc/self/fd"), threads: count("/proc/self/task") };
}

/** Why a run has not ended as it began; null if it has. */
export function growth([warm, end]: readonly [Measure, Measure]): string | null {
  const bytes = end.bytes - warm.bytes;
  if (bytes > Math.max(SLACK, warm.bytes * SLACK_PART)) return `${(bytes / MIB).toFixed(1)} MiB more at the end than after the warm-up`;
  // Workers that are starting or ending have some of their own.
  if (end.threads > warm.threads + 8) return `${end.threads} threads at the end, ${warm.threads} after the warm-up`;
  if (end.descriptors > warm.descriptors + 32) return `${end.descriptors} descriptors at the end, ${warm.descriptors} after the warm-up`;
  return null;
}

function collect(): void {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  if (Bun !== undefined) Bun.gc(true);
  else gc?.();
}

function count(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return -1;
  }
}
