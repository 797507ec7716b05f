/**
 * Node.js: workers are `worker_threads`.
 */
import type * as WorkerThreads from "node:worker_threads";

import type { WorkerBoot, WorkerHandle, WorkerListener, WorkerMessage, WorkerSettings } from "./runtime.ts";

// Not imported: the other runtimes load this file, too, and would pay for a module that they do not use.
let loaded: typeof WorkerThreads | null = null;
function threads(): typeof WorkerThreads {
  return (loaded ??= process.getBuiltinModule("node:worker_threads"));
}

/** Whether this is the thread that the user started. */
export function isMain(): boolean {
  return threads().isMainThread;
}

/** Whether this thread is a worker of a pool. */
export function inPool(): boolean {
  return boot() !== undefined;
}

function boot(): WorkerBoot | undefined {
  const { isMainThread, workerData } = threads();
  return isMainThread ? undefined : (workerData as { knit?: WorkerBoot } | null)?.knit;
}

/** What the host gave this thread, if it is a worker of a pool. */
export function receiveBoot(): Promise<WorkerBoot | null> {
  return Promise.resolve(boot() ?? null);
}

/** Tells the host. */
export function say(message: WorkerMessage): void {
  threads().parentPort?.postMessage(message);
}

// Sources run as they are; the published package is compiled beside them.
const entry = new URL(`../worker/main${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`, import.meta.url);

/** Starts a worker thread. It does not keep the process alive. */
export function startWorker(boot: WorkerBoot, settings: WorkerSettings, listener: WorkerListener): WorkerHandle {
  const worker = new (threads().Worker)(settings.source === null ? entry : new URL(settings.source), {
    workerData: { knit: boot },
    transferList: [boot.memories as unknown as WorkerThreads.Transferable],
    name: `knit ${boot.index}`,
    ...(settings.execArgv === undefined ? {} : { execArgv: [...settings.execArgv] }),
    ...(settings.resourceLimits === undefined ? {} : { resourceLimits: settings.resourceLimits }),
  });
  let failure: unknown;
  worker.on("message", (message: WorkerMessage) => listener.message(message));
  worker.on("error", (error) => {
    failure = error;
  });
  const ended = new Promise<void>((resolve) => {
    worker.on("exit", (code) => {
      listener.exit(code, failure);
      resolve();
    });
  });
  // After the listeners: one for messages keeps the process alive.
  worker.unref();
  return {
    ended,
    async terminate() {
      await worker.terminate();
    },
  };
}
