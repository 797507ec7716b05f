/**
 * Entry of a worker: puts up its guards, finds its functions, takes its place, serves.
 */
import { parentPort } from "node:worker_threads";

import { debugFor } from "../api/debug.ts";
import { boot, engine, later } from "../runtime/node.ts";
import type { SerializedFailure, WorkerMessage } from "../runtime/runtime.ts";
import { bind } from "./bind.ts";
import { bootstrap } from "./bootstrap.ts";
import { guardExits } from "./guards.ts";
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
const debug = debugFor(boot.debug, `${boot.pool} worker ${boot.index}`);

async function load(href: string): Promise<object> {
  const start = performance.now();
  const exports = (await import(href)) as object;
  debug.imports?.(`imported ${href} in ${(performance.now() - start).toFixed(1)} ms`);
  return exports;
}

try {
  guardExits(debug.globals);
  if (boot.bootstrap !== null) await bootstrap(boot.bootstrap, load);
  const functions = await bind(boot.bindings, load);
  // The host ends the thread; until then nothing runs here any more.
  const loop = new Loop(engine(), boot, functions, later, () => {});
  say({ ready: true });
  loop.start();
} catch (error) {
  say({ failed: serialize(error) });
}
