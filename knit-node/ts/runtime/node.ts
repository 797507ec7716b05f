/**
 * Node.js: workers are `worker_threads`.
 */
import type * as WorkerThreads from "node:worker_threads";

import { WORKER_CONDITION, threadFlags } from "./command.ts";
import { refusedByNode } from "./node-permissions.ts";
import type { Plan } from "./plan.ts";
import { isWorkerProcess } from "./role.ts";
import type { Starter, WorkerBoot, WorkerHandle, WorkerListener, WorkerMessage, WorkerSettings } from "./runtime.ts";

// Not imported: the other runtimes load this file, too, and would pay for a module that they do not use.
let loaded: typeof WorkerThreads | null = null;
function threads(): typeof WorkerThreads {
  return (loaded ??= process.getBuiltinModule("node:worker_threads"));
}

/** Whether this is the thread that the user started. */
export function isMain(): boolean {
  // The module for threads takes Node.js three milliseconds, and no worker process needs it.
  return isWorkerProcess || threads().isMainThread;
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
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const ENTRY = new URL(`../worker/main${EXTENSION}`, import.meta.url);
const RESTRICTED_SOURCE = new URL(`../runtime/source-node${EXTENSION}`, import.meta.url);

/** Nothing is begun before all is known: threads are given it when they are made. */
export function starter(): Starter {
  return { start, discard() {} };
}

/** Starts a worker thread. It does not keep the process alive. */
function start(boot: WorkerBoot, settings: WorkerSettings, listener: WorkerListener): WorkerHandle {
  const { source, permissions, resourceLimits } = settings;
  const plan = permissions?.plan ?? null;
  const entry = source === null ? ENTRY : plan === null ? new URL(source) : RESTRICTED_SOURCE;
  const options: WorkerThreads.WorkerOptions = {
    workerData: source === null || plan === null ? { knit: boot } : { knit: boot, source },
    transferList: [boot.memories?.port as unknown as WorkerThreads.Transferable],
    name: `knit ${boot.index}`,
    ...(resourceLimits === undefined ? {} : { resourceLimits }),
    ...(settings.execArgv === undefined ? {} : { execArgv: [...settings.execArgv] }),
    ...(plan === null ? {} : restricted(plan, settings)),
  };
  const worker = thread(entry, options);
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

function thread(entry: string | URL, options: WorkerThreads.WorkerOptions): WorkerThreads.Worker {
  try {
    return new (threads().Worker)(entry, options);
  } catch (error) {
    throw refusedByNode(error);
  }
}

let warm = false;

/** What a thread with permissions is started with. */
function restricted(plan: Plan, { execArgv }: WorkerSettings): Partial<WorkerThreads.WorkerOptions> {
  if (!warm) {
    warm = true;
    // The threads of libuv's pool, all made at its first use, must not be a restricted thread's: they serve the host as well.
    // By a descriptor: of a path that the host itself may not read (`--permission`) they would never hear.
    process.getBuiltinModule("node:fs").fstat(0, () => {});
  }
  return {
    execArgv: [WORKER_CONDITION, ...(execArgv === undefined ? inheritable() : threadFlags(execArgv)), ...plan.flags],
    ...(plan.env === undefined ? {} : { env: { ...plan.env } }),
    // They are read by nobody.
    ...(plan.console ? {} : { stdout: true, stderr: true }),
  };
}

let known: string[] | null = null;

/** Of this process's flags those that a thread takes: Node.js refuses the others, if it is given any. It says which. */
function inheritable(): string[] {
  if (known !== null) return known;
  let flags = threadFlags(undefined);
  for (let tries = 0; flags.length > 0 && tries < 4; tries++) {
    try {
      void thread("", { eval: true, execArgv: flags, stdin: false }).terminate();
      break;
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string };
      if (code !== "ERR_WORKER_INVALID_EXEC_ARGV") throw error;
      const refused = message.slice(message.indexOf(":") + 1).split(",").map((flag) => flag.trim());
      flags = flags.filter((flag) => !refused.includes(flag) && !refused.includes(flag.split("=")[0] as string));
    }
  }
  return (known = flags);
}
