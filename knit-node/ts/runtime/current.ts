/**
 * The runtime that this module runs on, chosen when it is loaded. All three files are imported, and none of them touches what only its
 * own runtime has before it is used: so bundlers need no condition, and a bundle made for one runtime works on the others.
 */
import * as bun from "./bun.ts";
import * as deno from "./deno.ts";
import * as node from "./node.ts";
import { isWorkerProcess } from "./role.ts";
import type { Runtime } from "./runtime.ts";

const runtime: Runtime = "Deno" in globalThis ? deno : "Bun" in globalThis ? bun : node;
const isMainThread = runtime.isMain();

export { engine } from "./engine.ts";

export const { receiveBoot, say, starter } = runtime;

/** Whether this is the thread that the user started. */
export const isMain: boolean = isMainThread && !isWorkerProcess;

/** Whether this thread, or process, is a worker of a pool. */
export function inPool(): boolean {
  return (isMainThread && isWorkerProcess) || runtime.inPool();
}

/** Runs `task` in a later turn of the event loop, after its input and output had theirs. */
// Deno loads it when it is first asked for, which takes milliseconds.
export const later: (task: () => void) => void = runtime === deno ? (task) => void setImmediate(task) : setImmediate;
