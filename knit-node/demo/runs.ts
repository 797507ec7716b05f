/** The two ways through the files. */
import { performance } from "node:perf_hooks";
import { createPool } from "@vixeny/knitting";
import { type Digest, examine, type Unreadable } from "./examine.ts";
import type { Found } from "./files.ts";
import type { Progress } from "./progress.ts";
import { digest } from "./tasks.ts";

/** What a way through the files came to. */
export interface Run {
  /** One result for each file, in the files' order. */
  readonly results: readonly (Digest | Unreadable)[];
  /** Milliseconds. */
  readonly time: number;
}

/** Calls in flight for each worker: enough that none waits, few enough that a folder of any size needs little memory. */
const IN_FLIGHT = 32;

/** One file after the other, on this thread. */
export function onOneThread(files: readonly Found[], progress: Progress): Run {
  const start = performance.now();
  const results = files.map(({ path, size }) => {
    const result = examine(path);
    progress.add(size);
    return result;
  });
  return { results, time: performance.now() - start };
}

/** The same through a pool; its time includes the start of the workers. They may read that folder, secrets and all, and write nothing. */
export async function onPool(folder: string, files: readonly Found[], threads: number, progress: Progress): Promise<Run> {
  const start = performance.now();
  const pool = createPool({ threads, permission: { read: [folder], denyRead: false, write: false } })({ digest });
  try {
    const results = new Array<Digest | Unreadable>(files.length);
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < files.length) {
        const index = next++;
        const { path, size } = files[index];
        results[index] = await pool.call.digest(path);
        progress.add(size);
      }
    };
    await Promise.all(Array.from({ length: Math.min(files.length, threads * IN_FLIGHT) }, lane));
    return { results, time: performance.now() - start };
  } finally {
    await pool.shutdown();
  }
}
