/**
 * Whether this worker dies of what nobody has caught.
 *
 * Node.js goes on with the microtasks that are queued at that moment, while native calls already answer with nothing. A worker that
 * served on would take calls and answer them with nonsense, so it must know.
 */

let dying = false;
let hear: ((error: unknown) => void) | null = null;

export function isDying(): boolean {
  return dying;
}

/** Says who hears of what nobody has caught, before this worker dies of it. */
export function whenDying(listener: (error: unknown) => void): void {
  hear = listener;
}

interface WebEvents {
  addEventListener(type: string, listener: (event: { readonly error?: unknown; readonly reason?: unknown }) => void): void;
}

/**
 * The same on Deno, whose `process` may never be made: as the web tells it. The program may still have it otherwise, and the worker lives on: then `undefined` is
 * heard.
 */
export function whenDyingOnDeno(listener: (error: unknown) => void): void {
  const tell = (error: unknown): void => {
    listener(error);
    setTimeout(listener, 0, undefined);
  };
  const { addEventListener } = globalThis as unknown as WebEvents;
  addEventListener("error", ({ error }) => tell(error));
  addEventListener("unhandledrejection", ({ reason }) => tell(reason));
}

/** To be called once, before any module of the user is loaded. */
export function watchDeath(process: NodeJS.Process): void {
  process.on("uncaughtExceptionMonitor", (error: unknown) => {
    // With a listener of the user's own the worker lives on.
    dying = process.listenerCount("uncaughtException") === 0 && process.hasUncaughtExceptionCaptureCallback?.() !== true;
    if (dying) hear?.(error);
  });
  if ("Bun" in globalThis) passRejectionsOn(process);
}

/** Bun ends a process for a rejection that nobody handles without telling the monitor: thrown again, it does. Who listens on their own decides on their own. */
function passRejectionsOn(process: NodeJS.Process): void {
  const rethrow = (reason: unknown): void => {
    if (process.listenerCount("unhandledRejection") > 1) return;
    queueMicrotask(() => {
      throw reason;
    });
  };
  process.on("unhandledRejection", rethrow);
}
