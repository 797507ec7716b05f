/**
 * A worker: puts up its guards, finds its functions, takes its place, serves.
 *
 * Without a top-level await, here and in all that is imported: Node.js aborts the whole process if a thread is ended at the moment at which a module with one is done.
 */
import { debugFor } from "../api/debug.ts";
import { WorkerStartError } from "../api/errors.ts";
import { EXIT_NOT_INHERITED } from "../generated/layout.ts";
import { engine, later, receiveBoot, say as tellHost } from "../runtime/current.ts";
import { isWorkerProcess } from "../runtime/role.ts";
import { serializeFailure } from "../runtime/runtime.ts";
import type { EarlyBoot, WorkerMessage } from "../runtime/runtime.ts";
import { bind } from "./bind.ts";
import { bootstrap } from "./bootstrap.ts";
import { whenDying, whenDyingOnDeno } from "./dying.ts";
import { guardExits } from "./guards.ts";
import { ender, join, portable, sayFailure } from "./join.ts";
import { Loop } from "./loop.ts";
import { restrict } from "./restrict.ts";
import { during, whenUnfinished } from "./unfinished.ts";
import { writeAtOnce } from "./streams.ts";

let loop: Loop | null = null;
/** Ends a process; null in a thread. */
const end = isWorkerProcess ? ender() : null;

function say(message: WorkerMessage, boot: EarlyBoot): void {
  if (end === null) {
    tellHost(message);
  } else if (loop !== null) {
    loop.note(message);
  } else {
    sayFailure(engine(), boot, message);
    end(1);
  }
}

function sayDeath(error: unknown, boot: EarlyBoot): void {
  const note = { dies: portable(error) };
  if (loop !== null) {
    loop.note(note);
    return;
  }
  // What was taken back.
  if (error === undefined) return;
  sayFailure(engine(), boot, note);
  // Bun would load on.
  if (end !== null && !("Deno" in globalThis)) setImmediate(end, 1);
}

/** Its runtime ends this worker in the middle of its start. */
function sayUnfinished(why: string, boot: EarlyBoot): void {
  const message = { failed: serializeFailure(new WorkerStartError(why)) };
  if (end === null) tellHost(message);
  else sayFailure(engine(), boot, message);
}

async function run(): Promise<void> {
  // Opened while a thread's host still plans.
  const native = engine();
  // A process takes its place here, a thread is given it.
  const ours = isWorkerProcess ? join(native) : await receiveBoot();
  if (ours === null) throw new Error("This module is the entry of Knit's workers: it is of no use elsewhere");
  if (end !== null && !("Deno" in globalThis || "Bun" in globalThis)) writeAtOnce(process);
  // First: what follows loads what the user wrote.
  restrict(native, ours.restriction);
  const debug = debugFor(ours.debug, `${ours.pool} worker ${ours.index}`);
  const load = async (href: string): Promise<object> => {
    const about = `A worker has begun to import ${href}`;
    // Not measured for nobody: the first look at `performance` takes Node.js a millisecond.
    if (debug.imports === null) return await during(about, () => import(href) as Promise<object>);
    const start = performance.now();
    const exports = await during(about, () => import(href) as Promise<object>);
    debug.imports(`imported ${href} in ${(performance.now() - start).toFixed(1)} ms`);
    return exports;
  };
  try {
    guardExits(debug.globals);
    if (end !== null) ("Deno" in globalThis ? whenDyingOnDeno : whenDying)((error) => sayDeath(error, ours));
    whenUnfinished((why) => sayUnfinished(why, ours));
    if (ours.bootstrap !== null) await bootstrap(ours.bootstrap, load);
    const functions = await bind(ours.bindings, load);
    // The host ends a thread; until then nothing runs here any more.
    const stopped = (): void => (end === null ? say({ stopped: true }, ours) : end(0));
    loop = new Loop(native, { ...ours, memories: await ours.memories }, functions, later, stopped, () => say({ overdue: true }, ours));
    say({ ready: true }, ours);
    loop.start();
  } catch (error) {
    say({ failed: serializeFailure(error) }, ours);
  }
}

/** Makes this thread, or process, the worker that it was started as. What fails before the worker can say so ends it, however its runtime takes rejections. */
export function serve(): void {
  run().catch((error: unknown) => {
    const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
    if (end !== null && typeof code === "string") {
      // Of a host that is gone nothing is left to be said, and nobody to say it to. Else the host shows this line; where in here it was found does not help.
      if (code !== "KNT_HOST_GONE") console.error(message);
      return end(code === "KNT_NOT_INHERITED" ? EXIT_NOT_INHERITED : 1);
    }
    setImmediate(() => {
      throw error;
    });
  });
}
