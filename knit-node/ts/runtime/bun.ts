/**
 * Bun: workers are the runtime's own.
 */
import { begin } from "./web.ts";
import type { Starter } from "./runtime.ts";

export { inPool, receiveBoot, say } from "./web.ts";

/** Whether this is the thread that the user started. */
export function isMain(): boolean {
  return (globalThis as unknown as { Bun: { isMainThread: boolean } }).Bun.isMainThread;
}

/** Its threads take no permissions, so they are begun at once. */
export function starter(threads: number, source: string | null): Starter {
  return begin(source === null ? threads : 0, (worker) => worker.unref!());
}
