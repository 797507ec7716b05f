/**
 * Whether this worker dies of what nobody has caught.
 *
 * Node.js goes on with the microtasks that are queued at that moment, while native calls already answer with nothing. A worker that
 * served on would take calls and answer them with nonsense, so it must know.
 */

let dying = false;

export function isDying(): boolean {
  return dying;
}

/** To be called once, before any module of the user is loaded. */
export function watchDeath(process: NodeJS.Process): void {
  process.on("uncaughtExceptionMonitor", () => {
    // With a listener of the user's own the worker lives on.
    dying = process.listenerCount("uncaughtException") === 0 && process.hasUncaughtExceptionCaptureCallback?.() !== true;
  });
}
