/**
 * Node.js: the engine as an N-API library, workers as `worker_threads`.
 */
import { createRequire } from "node:module";
import { Worker, isMainThread, workerData } from "node:worker_threads";
import type { Transferable as TransferListItem } from "node:worker_threads";

import { KnitError } from "../api/errors.ts";
import type { Native } from "./native.ts";
import { isWorkerProcess } from "./role.ts";
import type { WorkerBoot, WorkerHandle, WorkerListener, WorkerSettings } from "./runtime.ts";

/** Whether this is the thread that the user started. */
export const isMain = isMainThread && !isWorkerProcess;

/** What the host gave this thread, if it is a worker of a pool. */
export const boot: WorkerBoot | null = isMainThread || !workerData?.knit ? null : (workerData.knit as WorkerBoot);

/** Whether this thread is a worker of a pool. */
export function inPool(): boolean {
  return boot !== null || (isMainThread && isWorkerProcess);
}

let native: Native | null = null;

/** The engine; loaded at the first use, so that importing the package costs nothing. */
export function engine(): Native {
  return (native ??= load());
}

function load(): Native {
  const file = `../../lib/knit-node.${process.platform}-${process.arch}.node`;
  try {
    return createRequire(import.meta.url)(file) as Native;
  } catch (cause) {
    throw new KnitError(
      "KNT_NO_ENGINE",
      `Cannot load the native library for ${process.platform}-${process.arch}. The package holds libraries for the platforms named in its README; from a checkout, run \`cargo xtask build\` first.`,
      { cause },
    );
  }
}

// Sources run as they are; the published package is compiled beside them.
const entry = new URL(`../worker/main${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`, import.meta.url);

/** Starts a worker thread. It does not keep the process alive. */
export function startWorker(boot: WorkerBoot, settings: WorkerSettings, listener: WorkerListener): WorkerHandle {
  const worker = new Worker(settings.source === null ? entry : new URL(settings.source), {
    workerData: { knit: boot },
    transferList: [boot.memories as unknown as TransferListItem],
    name: `knit ${boot.index}`,
    ...(settings.execArgv === undefined ? {} : { execArgv: [...settings.execArgv] }),
    ...(settings.resourceLimits === undefined ? {} : { resourceLimits: settings.resourceLimits }),
  });
  let failure: unknown;
  worker.on("message", (message) => listener.message(message));
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

/** Runs `task` in a later turn of the event loop, after its input and output had theirs. */
export const later: (task: () => void) => void = setImmediate;
