/**
 * Abort-aware tasks: what their functions get, and the option that asks for it.
 */
import { boolean, checkOptions } from "./check.ts";

/** Second argument of an abort-aware task's function. */
export interface AbortTools {
  /** Whether the host has aborted this call: a plain read of shared memory, so it tells also inside a synchronous loop. */
  hasAborted(): boolean;
  /** A monotonic clock, in milliseconds. */
  now(): number;
  /** For asynchronous code: aborts when the host does. */
  readonly signal: AbortSignal;
}

/** Asks for `AbortTools`. Both forms mean the same. */
export type AbortOption = true | { readonly hasAborted: true };

/** A call that can be aborted by its caller. */
export interface AbortablePromise<R> extends Promise<R> {
  /**
   * With a reason: rejects with it at once; the worker is told, or the call is removed if no worker has taken it. Without one the worker is
   * told, and its answer decides.
   */
  reject(reason?: unknown): void;
}

/** Checks the option. */
export function abortOf(where: string, given: unknown): boolean {
  if (typeof given !== "object") return boolean(`${where}: abortSignal`, given, false);
  checkOptions(`${where}: abortSignal`, given, ["hasAborted"]);
  return boolean(`${where}: abortSignal.hasAborted`, (given as { hasAborted?: unknown }).hasAborted, true);
}
