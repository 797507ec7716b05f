/**
 * The options of pools whose workers are processes: their types, and their check.
 */
import { oneOf, show } from "./check.ts";
import { OptionError } from "./errors.ts";

/** A runtime that worker processes may be. */
export type ProcessRuntime = "node" | "deno" | "bun";

export interface ProcessOptions {
  /** Which runtime the processes are: this one unless given. It is looked for in `PATH`. */
  readonly processRuntime?: ProcessRuntime;
  /** A command, and its arguments, that starts the workers: `["nice", "-n", "10"]`, `["bwrap", ...]`. The worker's own command follows. */
  readonly processCommandPrefix?: readonly string[];
}

/** With every default filled in. */
export interface ProcessSettings {
  /** Null: this one. */
  readonly runtime: ProcessRuntime | null;
  readonly prefix: readonly string[];
}

const OPTIONS = ["processRuntime", "processCommandPrefix"] satisfies readonly (keyof ProcessOptions)[];
export const PROCESS_OPTIONS: readonly string[] = OPTIONS;

const RUNTIMES: readonly ProcessRuntime[] = ["node", "deno", "bun"];

/** Checks them; null if workers are threads. */
export function processSettings(runtime: unknown, given: ProcessOptions): ProcessSettings | null {
  if (oneOf("createPool: worker.runtime", runtime, "thread", ["thread", "process"]) === "thread") {
    for (const name of OPTIONS) {
      if (given[name] !== undefined) throw new OptionError(`createPool: worker.${name} is for worker.runtime: "process"`);
    }
    return null;
  }
  const own = given.processRuntime === undefined;
  return {
    runtime: own ? null : oneOf("createPool: worker.processRuntime", given.processRuntime, "node", RUNTIMES),
    prefix: words("worker.processCommandPrefix", given.processCommandPrefix),
  };
}

function words(name: string, given: unknown): readonly string[] {
  if (given === undefined) return [];
  if (!Array.isArray(given) || !given.every((word: unknown) => typeof word === "string" && !word.includes("\0"))) {
    throw new OptionError(`createPool: ${name} must be an array of strings without NUL, not ${show(given)}`);
  }
  return given as readonly string[];
}
