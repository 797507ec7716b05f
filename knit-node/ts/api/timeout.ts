/**
 * A task's `timeout` option: how long a call may take, and how it is answered if it takes longer.
 */
import { checkOptions, milliseconds } from "./check.ts";
import { OptionError, TaskTimeoutError } from "./errors.ts";

/**
 * Milliseconds from the call, on the host's clock. A late call rejects with `TaskTimeoutError`; with `error`, it rejects with that; with `default`,
 * it resolves with that; with `maybe`, it resolves with `undefined`.
 */
export type TaskTimeout =
  | number
  | { readonly time: number; readonly default: unknown }
  | { readonly time: number; readonly error: unknown }
  | { readonly time: number; readonly maybe: boolean }
  | { readonly time: number };

/** What a late call resolves with, beside the task's own results. */
export type Late<T> = [TaskTimeout] extends [T] ? never : T extends { default: infer D } ? D : T extends { maybe: true } ? undefined : never;

/** A checked timeout. */
export interface Timeout {
  readonly ms: number;
  readonly rejects: boolean;
  /** Makes what a late call of the task `key` settles with. */
  readonly outcome: (key: string) => unknown;
}

const OUTCOMES = ["default", "error", "maybe"] as const;

/** Checks the option. */
export function timeoutOf(where: string, given: unknown): Timeout | null {
  if (given === undefined) return null;
  if (typeof given === "number") return timed(where, given);
  const name = `${where}: timeout`;
  checkOptions(name, given, ["time", ...OUTCOMES]);
  const { time, default: value, error, maybe } = given as { time?: unknown; default?: unknown; error?: unknown; maybe?: unknown };
  const chosen = OUTCOMES.filter((outcome) => Object.hasOwn(given as object, outcome) && !(outcome === "maybe" && maybe === false));
  if (chosen.length > 1) throw new OptionError(`${name} takes one of ${chosen.join(", ")}, not ${chosen.length} of them`);
  const ms = milliseconds(`${name}.time`, time, 0);
  switch (chosen[0]) {
    case "default":
      return { ms, rejects: false, outcome: () => value };
    case "error":
      return { ms, rejects: true, outcome: () => error };
    case "maybe":
      if (maybe !== true) throw new OptionError(`${name}.maybe must be true or false`);
      return { ms, rejects: false, outcome: () => undefined };
    default:
      return timed(where, ms);
  }
}

function timed(where: string, time: number): Timeout {
  const ms = milliseconds(`${where}: timeout`, time, 0);
  return { ms, rejects: true, outcome: (key) => new TaskTimeoutError(`Task "${key}" was not answered within ${ms} ms`) };
}
