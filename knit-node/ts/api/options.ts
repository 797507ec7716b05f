/**
 * Checks of what users pass: an unknown option is an error that names the nearest known one.
 */
import { availableParallelism } from "node:os";

import { MAX_WORKERS } from "../generated/layout.ts";
import type { ResourceLimits } from "../runtime/runtime.ts";
import { OptionError } from "./errors.ts";

/** What `createPool()` takes. Everything is optional. */
export interface PoolOptions {
  /** Worker threads, from 1 to 1024; 1 unless given. */
  readonly threads?: number;
  /** How calls are spread over workers. Calls go round; unless a balancer is named, idle workers also take what is queued for busy ones. */
  readonly balancer?: Strategy | { readonly strategy: Strategy };
  readonly host?: {
    /** Whether idle workers take calls queued for busy ones: true unless a balancer is named. */
    readonly steal?: boolean;
  };
  readonly payload?: {
    /** Shared memory for large payloads, for the host and for each worker, in bytes; 64 MiB unless given. Untouched memory costs nothing. */
    readonly payloadMaxByteLength?: number;
    /** Most bytes of one value; an eighth of `payloadMaxByteLength` unless given. */
    readonly maxPayloadBytes?: number;
  };
  readonly worker?: {
    /** Where tasks run: in threads of this process. */
    readonly runtime?: "thread";
    /** Whether a dead worker is replaced: true unless given. */
    readonly respawn?: boolean;
    /** Heap limits of each worker, as `worker_threads` takes them. */
    readonly resourceLimits?: ResourceLimits;
    readonly timers?: {
      /** How long an idle worker looks for calls before it sleeps, in microseconds; 50 unless given. */
      readonly spinMicroseconds?: number;
    };
  };
  /** Flags for the workers, as `worker_threads` takes them. */
  readonly workerExecArgv?: readonly string[];
}

/** How calls are spread over workers. */
export type Strategy = "roundRobin" | "robinRound";

/** Options with every default filled in. */
export interface Settings {
  readonly threads: number;
  readonly steal: boolean;
  readonly arenaBytes: number;
  readonly maxPayloadBytes: number;
  readonly respawn: boolean;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly execArgv: readonly string[] | undefined;
  readonly spinMicroseconds: number;
}

const MIB = 1024 * 1024;
const STRATEGIES: readonly string[] = ["roundRobin", "robinRound"] satisfies readonly Strategy[];

const RESOURCE_LIMITS = ["maxYoungGenerationSizeMb", "maxOldGenerationSizeMb", "codeRangeSizeMb", "stackSizeMb"] satisfies readonly (keyof ResourceLimits)[];

/** Checks the options of a pool and fills in what they leave open. */
export function settings(options: PoolOptions): Settings {
  checkOptions("createPool", options, ["threads", "balancer", "host", "payload", "worker", "workerExecArgv"]);
  const { host = {}, payload = {}, worker = {}, balancer } = options;
  checkOptions("createPool: host", host, ["steal"]);
  checkOptions("createPool: payload", payload, ["payloadMaxByteLength", "maxPayloadBytes"]);
  checkOptions("createPool: worker", worker, ["runtime", "respawn", "resourceLimits", "timers"]);
  const runtime: unknown = worker.runtime ?? "thread";
  if (runtime !== "thread") throw new OptionError(`createPool: worker.runtime must be "thread", not ${show(runtime)}`);
  const { timers = {} } = worker;
  checkOptions("createPool: worker.timers", timers, ["spinMicroseconds"]);
  if (balancer !== undefined) {
    if (typeof balancer === "object") checkOptions("createPool: balancer", balancer, ["strategy"]);
    const strategy: unknown = typeof balancer === "object" ? balancer.strategy : balancer;
    if (typeof strategy !== "string" || !STRATEGIES.includes(strategy)) {
      throw new OptionError(`createPool: balancer must be one of ${STRATEGIES.join(", ")}, not ${show(strategy)}`);
    }
  }
  const arenaBytes = integer("payload.payloadMaxByteLength", payload.payloadMaxByteLength, 64 * MIB, 64 * 1024, 2048 * MIB);
  return {
    threads: integer("threads", options.threads, 1, 1, MAX_WORKERS),
    steal: boolean("host.steal", host.steal, balancer === undefined),
    arenaBytes: Math.ceil(arenaBytes / 4096) * 4096,
    maxPayloadBytes: integer("payload.maxPayloadBytes", payload.maxPayloadBytes, Math.floor(arenaBytes / 8), 1, arenaBytes),
    respawn: boolean("worker.respawn", worker.respawn, true),
    resourceLimits: limits(worker.resourceLimits),
    execArgv: flags(options.workerExecArgv),
    // A worker that spins on the only core keeps the host from submitting.
    spinMicroseconds: integer("worker.timers.spinMicroseconds", timers.spinMicroseconds, availableParallelism() > 1 ? 50 : 0, 0, 1_000_000),
  };
}

function integer(name: string, value: unknown, fallback: number, least: number, most: number): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw new OptionError(`createPool: ${name} must be an integer from ${least} to ${most}, not ${show(value)}`);
  }
  return value as number;
}

function boolean(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== "boolean") throw new OptionError(`createPool: ${name} must be true or false, not ${show(value)}`);
  return value;
}

function limits(given: ResourceLimits | undefined): ResourceLimits | undefined {
  if (given === undefined) return undefined;
  checkOptions("createPool: worker.resourceLimits", given, RESOURCE_LIMITS);
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (value === undefined || (typeof value === "number" && value > 0 && value < Infinity)) continue;
    throw new OptionError(`createPool: worker.resourceLimits.${name} must be a number of megabytes above 0, not ${show(value)}`);
  }
  return given;
}

function flags(given: readonly string[] | undefined): readonly string[] | undefined {
  if (given === undefined || (Array.isArray(given) && given.every((flag: unknown) => typeof flag === "string"))) return given;
  throw new OptionError(`createPool: workerExecArgv must be an array of strings, not ${show(given)}`);
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Fails unless `options` is an object that has no other keys than the known ones. */
export function checkOptions(where: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw new OptionError(`${where} takes an object of options, not ${show(options)}`);
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const [nearest] = [...known].sort((a, b) => distance(key, a) - distance(key, b));
    throw new OptionError(`${where} has no option ${JSON.stringify(key)}: did you mean ${JSON.stringify(nearest)}?`);
  }
}

/** Levenshtein's distance, case ignored. */
function distance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[to.length];
}
