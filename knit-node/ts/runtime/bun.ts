/**
 * Bun: workers are the runtime's own.
 */
import { start } from "./web.ts";
import type { WorkerBoot, WorkerHandle, WorkerListener, WorkerSettings } from "./runtime.ts";

export { inPool, receiveBoot, say } from "./web.ts";

/** Whether this is the thread that the user started. */
export function isMain(): boolean {
  return (globalThis as unknown as { Bun: { isMainThread: boolean } }).Bun.isMainThread;
}

/** Starts a worker thread. It does not keep the process alive. */
export function startWorker(boot: WorkerBoot, settings: WorkerSettings, listener: WorkerListener): WorkerHandle {
  return start(boot, settings, listener, (worker) => worker.unref!());
}
