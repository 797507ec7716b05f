/**
 * Timers that keep no process alive, on every runtime.
 */

/** Runs `task` in `milliseconds`, unless the process has ended by then. Returns what cancels it. */
export function inAWhile(milliseconds: number, task: () => void): () => void {
  const timer = setTimeout(task, milliseconds);
  if (typeof timer === "object") timer.unref();
  else (globalThis as unknown as { Deno: { unrefTimer(id: unknown): void } }).Deno.unrefTimer(timer);
  return () => clearTimeout(timer);
}
