/**
 * Entry of a worker: finds its functions, takes its place, serves.
 */
import { parentPort } from "node:worker_threads";

import { boot, engine, later } from "../runtime/node.ts";
import type { SerializedFailure, WorkerMessage } from "../runtime/runtime.ts";
import { bind } from "./bind.ts";
import { Loop } from "./loop.ts";

function say(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

function serialize(error: unknown): SerializedFailure {
  if (!(error instanceof Error)) return { code: "KNT_WORKER_START", message: String(error), stack: String(error) };
  const { code } = error as { code?: unknown };
  return { code: typeof code === "string" ? code : "KNT_WORKER_START", message: error.message, stack: error.stack ?? error.message };
}

if (boot === null) throw new Error("This module is the entry of Knit's workers: it is of no use elsewhere");

try {
  const functions = await bind(boot.bindings);
  // The host ends the thread; until then nothing runs here any more.
  const loop = new Loop(engine(), boot, functions, later, () => {});
  say({ ready: true });
  loop.start();
} catch (error) {
  say({ failed: serialize(error) });
}
