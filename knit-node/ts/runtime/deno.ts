/**
 * Deno: workers are the runtime's own.
 */
import { lastWords, receive, start } from "./web.ts";
import type { WorkerBoot, WorkerHandle, WorkerListener, WorkerSettings } from "./runtime.ts";
import type { WebWorker } from "./web.ts";

export { inPool, say } from "./web.ts";

interface DenoGlobal {
  exit(code?: number): void;
}

/** Whether this is the thread that the user started. */
export function isMain(): boolean {
  return !("DedicatedWorkerGlobalScope" in globalThis);
}

/** What the host gave this thread, if it is a worker of a pool. */
export function receiveBoot(): Promise<WorkerBoot | null> {
  // The runtime tells nobody with which code a worker has ended itself. `process.exit` comes here, too.
  const { Deno } = globalThis as unknown as { Deno: DenoGlobal };
  const { exit } = Deno;
  Deno.exit = (code = 0) => {
    lastWords({ code });
    exit(code);
    // A module that is being loaded goes on.
    throw new Error(`this worker has ended itself with exit code ${code}`);
  };
  return receive();
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
