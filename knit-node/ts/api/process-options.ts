/**
 * The options of pools whose workers are processes: their types, and their check.
 */
import { checkOptions, oneOf, show } from "./check.ts";
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
  /**
   * How a process gets the pool's memory. `"inherit"`, unless given: as its standard input. `"named"`: at a name in `/dev/shm` that its last argument tells, which is gone as
   * soon as it has connected there; for wrappers that close or replace what a process inherits.
   */
  readonly processSharedMemory?: ProcessSharedMemory | ProcessSharedMemoryOptions;
}

export type ProcessSharedMemory = "inherit" | "named";

export interface ProcessSharedMemoryOptions {
  readonly mode?: ProcessSharedMemory;
  /** With what names begin: `"knit"`, unless given. 1 to 30 letters, digits, `.`, `_` or `-`, the first of them no dot. */
  readonly namePrefix?: string;
  /** Names never outlive what needs them: only `true` can be had. */
  readonly unlinkOnShutdown?: true;
}

/** With every default filled in. */
export interface ProcessSettings {
  /** Null: this one. */
  readonly runtime: ProcessRuntime | null;
  readonly prefix: readonly string[];
  /** Null: a JavaScript runtime. */
  readonly command: readonly string[] | null;
  /** With what names begin; null: processes inherit their memory. */
  readonly named: string | null;
}

const OPTIONS = ["processRuntime", "processCommandPrefix", "command", "processSharedMemory"] satisfies readonly (keyof ProcessOptions)[];
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
    named: named(given.processSharedMemory),
  };
}

const MEMORY_OPTIONS = ["mode", "namePrefix", "unlinkOnShutdown"] satisfies readonly (keyof ProcessSharedMemoryOptions)[];

/** With what names begin; null if there are none. */
function named(given: unknown): string | null {
  const option = "worker.processSharedMemory";
  const plain = given === undefined || typeof given === "string";
  if (!plain) checkOptions(`createPool: ${option}`, given, MEMORY_OPTIONS);
  const { mode, namePrefix, unlinkOnShutdown } = plain ? { mode: given, namePrefix: undefined, unlinkOnShutdown: undefined } : (given as Record<string, unknown>);
  const chosen = oneOf(`createPool: ${option}${plain ? "" : ".mode"}`, mode, "inherit", ["inherit", "named"]);
  if (unlinkOnShutdown !== undefined && unlinkOnShutdown !== true) {
    throw new OptionError(`createPool: ${option}.unlinkOnShutdown can only be true, not ${show(unlinkOnShutdown)}: a name is gone as soon as its worker has connected, and a pool leaves none`);
  }
  if (chosen === "inherit") {
    if (namePrefix !== undefined) throw new OptionError(`createPool: ${option}.namePrefix is for mode: "named"; memory that is inherited has no name`);
    return null;
  }
  if (namePrefix === undefined) return "knit";
  if (typeof namePrefix !== "string" || !/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,29}$/.test(namePrefix)) {
    throw new OptionError(`createPool: ${option}.namePrefix must be 1 to 30 letters, digits, ".", "_" or "-", the first of them no dot, not ${show(namePrefix)}`);
  }
  return namePrefix;
}

function words(name: string, given: unknown): readonly string[] {
  if (!Array.isArray(given) || given.length === 0 || !given.every((word: unknown) => typeof word === "string" && !word.includes("\0"))) {
    throw new OptionError(`createPool: ${name} must be an array of at least one string, without NUL, not ${show(given)}`);
  }
  return given as readonly string[];
}
