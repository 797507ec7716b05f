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
  /** A program, and its arguments, that is no JavaScript and has the tasks itself: those that `nativeTask` names. */
  readonly command?: readonly string[];
}

/** With every default filled in. */
export interface ProcessSettings {
  /** Null: this one. */
  readonly runtime: ProcessRuntime | null;
  readonly prefix: readonly string[];
  /** Null: a JavaScript runtime. */
  readonly command: readonly string[] | null;
}

const OPTIONS = ["processRuntime", "processCommandPrefix", "command"] satisfies readonly (keyof ProcessOptions)[];
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
  if (given.command !== undefined && given.processRuntime !== undefined) {
    throw new OptionError("createPool: worker.processRuntime and worker.command exclude each other: the command is what runs the tasks");
  }
  const own = given.processRuntime === undefined;
  return {
    runtime: own ? null : oneOf("createPool: worker.processRuntime", given.processRuntime, "node", RUNTIMES),
    prefix: given.processCommandPrefix === undefined ? [] : words("worker.processCommandPrefix", given.processCommandPrefix),
    command: given.command === undefined ? null : words("worker.command", given.command),
  };
}

function words(name: string, given: unknown): readonly string[] {
  if (!Array.isArray(given) || given.length === 0 || !given.every((word: unknown) => typeof word === "string" && !word.includes("\0"))) {
    throw new OptionError(`createPool: ${name} must be an array of at least one string, without NUL, not ${show(given)}`);
  }
  return given as readonly string[];
}
