/**
 * Deno: workers are the runtime's own.
 */
import { WorkerStartError } from "../api/errors.ts";
import { takesWorkerOptions } from "./deno-options.ts";
import { begin } from "./web.ts";
import type { Starter, WorkerBoot, WorkerSettings } from "./runtime.ts";
import type { WebWorker } from "./web.ts";

export { inPool, receiveBoot, say } from "./web.ts";

/** Whether this is the thread that the user started. */
export function isMain(): boolean {
  return !("DedicatedWorkerGlobalScope" in globalThis);
}

/** Threads that get permissions are begun when these are known. */
export function starter(threads: number, source: string | null, unsafe: boolean): Starter {
  const atOnce = source === null && mayLoad() && (unsafe || !takesWorkerOptions());
  const starter = begin(atOnce ? threads : 0, unref);
  return {
    ...starter,
    start(boot, settings, listener) {
      askForReading(boot, settings);
      return starter.start(boot, settings, listener);
    },
  };
}

/** The folder of this package's modules. */
const PACKAGE = new URL("..", import.meta.url);

interface Permissions {
  querySync(what: { name: "read"; path: string }): { readonly state: string };
  requestSync(what: { name: "read"; path: string }): { readonly state: string };
}

/** Whether a worker can load this package. */
function mayLoad(): boolean {
  const { permissions } = (globalThis as unknown as { Deno: { permissions: Permissions } }).Deno;
  return PACKAGE.protocol !== "file:" || permissions.querySync({ name: "read", path: decodeURIComponent(PACKAGE.pathname) }).state === "granted";
}

/**
 * A worker may read what this program may, and Deno wants leave to read a worker's modules. Without it each worker would die of that; here Deno asks
 * whoever started the program, or this says what to start it with.
 */
function askForReading(boot: WorkerBoot, settings: WorkerSettings): void {
  const { permissions } = (globalThis as unknown as { Deno: { permissions: Permissions } }).Deno;
  const modules = [PACKAGE.href];
  if (settings.source !== null) modules.push(settings.source);
  if (boot.bootstrap !== null) modules.push(boot.bootstrap.href);
  for (const binding of boot.bindings) if (binding.kind === "task") modules.push(binding.href);
  const paths = new Set(modules.filter((href) => href.startsWith("file:")).map((href) => decodeURIComponent(new URL(href).pathname).replace(/\/$/, "")));
  const missing = [...paths].filter((path) => permissions.requestSync({ name: "read", path }).state !== "granted");
  if (missing.length > 0) throw new WorkerStartError(`Deno may not read what the workers load: run with --allow-read=${[...paths].join(",")}`);
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
