/**
 * Deno: workers are the runtime's own.
 */
import { start } from "./web.ts";
import type { WorkerBoot, WorkerHandle, WorkerListener, WorkerSettings } from "./runtime.ts";
import type { WebWorker } from "./web.ts";

export { inPool, receiveBoot, say } from "./web.ts";

/** Whether this is the thread that the user started. */
export function isMain(): boolean {
  return !("DedicatedWorkerGlobalScope" in globalThis);
}

/** Starts a worker thread. It does not keep the process alive. */
export function startWorker(boot: WorkerBoot, settings: WorkerSettings, listener: WorkerListener): WorkerHandle {
  return start(boot, settings, listener, unref);
}

/**
 * Deno has no documented way to let a process end while a worker lives. The method that it uses itself, for `node:worker_threads`, has a
 * symbol without a name as its key.
 */
function unref(worker: WebWorker): void {
  const prototype = Object.getPrototypeOf(worker) as Record<symbol, unknown>;
  const key = Object.getOwnPropertySymbols(prototype).find((symbol) => Symbol.keyFor(symbol) === undefined && typeof prototype[symbol] === "function");
  if (key !== undefined) (worker as unknown as Record<symbol, (alive: boolean) => void>)[key]!(false);
}
