/**
 * Bun: workers are the runtime's own.
 */
import { receive, start } from "./web.ts";
import type { WorkerBoot, WorkerHandle, WorkerListener, WorkerSettings } from "./runtime.ts";

export { inPool, say } from "./web.ts";

/** Whether this is the thread that the user started. */
export function isMain(): boolean {
  return (globalThis as unknown as { Bun: { isMainThread: boolean } }).Bun.isMainThread;
}

/** What the host gave this thread, if it is a worker of a pool. */
export function receiveBoot(): Promise<WorkerBoot | null> {
  return receive();
}

/** Starts a worker thread. It does not keep the process alive. */
export function startWorker(boot: WorkerBoot, settings: WorkerSettings, listener: WorkerListener): WorkerHandle {
  return start(boot, settings, listener, (worker) => worker.unref!());
}
