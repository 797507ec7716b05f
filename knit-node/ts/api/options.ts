/**
 * The options of a pool: their types, and their check.
 */
import { cores } from "../runtime/system.ts";

import { encodeAlone } from "../codec/alone.ts";
import { BALANCERS, MAX_WORKERS } from "../generated/layout.ts";
import type { BootstrapBoot, ResourceLimits } from "../runtime/runtime.ts";
import { callerHref } from "./caller.ts";
import { boolean, checkOptions, integer, milliseconds, oneOf, show } from "./check.ts";
import { topicsOf } from "./debug.ts";
import type { DebugOption, Topic } from "./debug.ts";
import { OptionError } from "./errors.ts";
import { policyOf } from "./permission.ts";
import type { Permission, Policy } from "./permission.ts";
import { PROCESS_OPTIONS, processSettings } from "./process-options.ts";
import type { ProcessOptions, ProcessSettings } from "./process-options.ts";

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
  /** Also runs tasks on the host, between its turns. */
  readonly inliner?: InlinerOptions;
  readonly payload?: {
    /**
     * `"growable"` unless given: memory is taken as values need it, and given back when they are gone. `"fixed"`: all of it is taken when the pool starts, and
     * kept; a system that has not so much says so then, as an error of `createPool`.
     */
    readonly mode?: "growable" | "fixed";
    /** Bytes of each heap that are taken when the pool starts, and kept; 0 unless given. The rest grows. */
    readonly payloadInitialBytes?: number;
    /** Shared memory for large payloads, for the host and for each worker, in bytes; 64 MiB unless given. Untouched memory costs nothing. */
    readonly payloadMaxByteLength?: number;
    /** Most bytes of one value; an eighth of `payloadMaxByteLength` unless given. */
    readonly maxPayloadBytes?: number;
  };
  /** Calls that may wait for a worker, from 1; unbounded unless given. Past it a call rejects with `QueueFullError`. */
  readonly maxQueue?: number;
  /** Abort-aware calls that may be in flight: 258 unless given, up to 1 048 576. */
  readonly abortSignalCapacity?: number;
  readonly worker?: ProcessOptions & {
    /** Where tasks run: in threads of this process, unless given, or in processes. */
    readonly runtime?: "thread" | "process";
    /** Whether a dead worker is replaced: true unless given. After a few failures to start in a row the pool gives up. */
    readonly respawn?: boolean;
    /**
     * Milliseconds for which a call may occupy its worker. One that does so longer rejects with `HardTimeoutError`, and its worker is ended and replaced. Workers
     * take one call at a time then, so that no other is lost with it.
     */
    readonly hardTimeoutMs?: number;
    /** Whether `shutdown()` waits for every submitted call; unless it does, they reject with `PoolClosedError`. */
    readonly resolveAfterFinishingAll?: boolean;
    /** A function that each worker awaits before it loads tasks. */
    readonly bootstrap?: BootstrapOptions;
    /** Heap limits of each worker, as `worker_threads` takes them. */
    readonly resourceLimits?: ResourceLimits;
    readonly timers?: {
      /** How long an idle worker looks for calls before it sleeps, in microseconds, at most; 150 unless given. */
      readonly spinMicroseconds?: number;
      /**
       * The longest sleep of an idle worker, in milliseconds: then it looks for calls by itself. Without it a worker sleeps until it is woken, which costs nothing.
       * For systems that lose wake-ups.
       */
      readonly parkMs?: number;
      /** How long an idle worker pauses between two looks before it sleeps, in nanoseconds, up to a millisecond; 0 unless given. */
      readonly pauseNanoseconds?: number;
    };
  };
  /**
   * What tasks may do. Unless given, the default: their project and what is installed for it may be read, the working directory written; no network, no programs, no
   * secrets, a reduced environment. `"unsafe"` applies nothing.
   */
  readonly permission?: Permission;
  /** Flags for the workers, as `worker_threads` takes them. */
  readonly workerExecArgv?: readonly string[];
  /** Says on standard error what happens: all of it, or some topics. `KNITTING_DEBUG` in the environment does the same. */
  readonly debug?: boolean | DebugOption;
  /** A module to run in each worker instead of this package's own entry, which it must import: `import "@vixeny/knitting/worker"`. */
  readonly source?: string | URL;
}

/** How calls are spread over workers. */
export type Strategy = (typeof BALANCERS)[number] | "robinRound";

export interface InlinerOptions {
  /** Whether the host takes calls before the workers have one each, or after; `"last"` unless given. */
  readonly position?: "first" | "last";
  /** Most calls that the host takes at a time, and runs in one turn; 1 unless given. */
  readonly batchSize?: number;
  /** Open calls from which on the host takes some; 1 unless given. */
  readonly dispatchThreshold?: number;
}

export interface BootstrapOptions {
  /** The module: a path relative to the module that makes the pool, an absolute path, or a URL. */
  readonly href: string | URL;
  /** The export's name; `"default"` unless given. */
  readonly name?: string;
  /** Its argument: any value that a task takes. */
  readonly data?: unknown;
}

/** Options with every default filled in. */
export interface Settings {
  readonly threads: number;
  readonly steal: boolean;
  /** A place in `BALANCERS`. */
  readonly balancer: number;
  readonly inliner: Required<InlinerOptions> | null;
  readonly arenaBytes: number;
  /** Of each heap, taken at the start. */
  readonly initialBytes: number;
  readonly maxPayloadBytes: number;
  readonly maxQueue: number;
  readonly abortCapacity: number;
  /** 0: no limit. */
  readonly hardTimeoutMs: number;
  readonly respawn: boolean;
  readonly finishAll: boolean;
  readonly bootstrap: BootstrapBoot | null;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly execArgv: readonly string[] | undefined;
  readonly spinMicroseconds: number;
  /** 0: until it is woken. */
  readonly parkMs: number;
  readonly pauseNanoseconds: number;
  /** Whether some of `worker.timers` was given. */
  readonly timed: boolean;
  readonly debug: readonly Topic[];
  readonly source: string | null;
  /** How workers are started, if they are processes. */
  readonly process: ProcessSettings | null;
  readonly policy: Policy;
}

const MIB = 1024 * 1024;
/** `robinRound` is the old name of `roundRobin`. */
const STRATEGIES: readonly Strategy[] = [...BALANCERS, "robinRound"];

const RESOURCE_LIMITS = ["maxYoungGenerationSizeMb", "maxOldGenerationSizeMb", "codeRangeSizeMb", "stackSizeMb"] satisfies readonly (keyof ResourceLimits)[];

/** Checks the options of a pool and fills in what they leave open. Paths are relative to the module that called `boundary`. */
export function settings(options: PoolOptions, boundary: Function): Settings {
  checkOptions("createPool", options, ["threads", "balancer", "host", "inliner", "payload", "maxQueue", "abortSignalCapacity", "worker", "permission", "workerExecArgv", "debug", "source"]);
  const { host = {}, payload = {}, worker = {}, balancer } = options;
  checkOptions("createPool: host", host, ["steal"]);
  checkOptions("createPool: payload", payload, ["mode", "payloadInitialBytes", "payloadMaxByteLength", "maxPayloadBytes"]);
  checkOptions("createPool: worker", worker, ["runtime", ...PROCESS_OPTIONS, "respawn", "hardTimeoutMs", "resolveAfterFinishingAll", "bootstrap", "resourceLimits", "timers"]);
  const process = processSettings(worker.runtime, worker);
  const { timers = {} } = worker;
  checkOptions("createPool: worker.timers", timers, ["spinMicroseconds", "parkMs", "pauseNanoseconds"]);
  const arenaBytes = integer("createPool: payload.payloadMaxByteLength", payload.payloadMaxByteLength, 64 * MIB, 64 * 1024, 2048 * MIB);
  return {
    threads: integer("createPool: threads", options.threads, 1, 1, MAX_WORKERS),
    steal: boolean("createPool: host.steal", host.steal, balancer === undefined),
    balancer: balancerOf(balancer),
    inliner: inliner(options.inliner),
    arenaBytes: Math.ceil(arenaBytes / 4096) * 4096,
    initialBytes: initialBytes(payload, arenaBytes),
    maxPayloadBytes: integer("createPool: payload.maxPayloadBytes", payload.maxPayloadBytes, Math.floor(arenaBytes / 8), 1, arenaBytes),
    maxQueue: integer("createPool: maxQueue", options.maxQueue, Infinity, 1, Number.MAX_SAFE_INTEGER),
    hardTimeoutMs: worker.hardTimeoutMs === undefined ? 0 : milliseconds("createPool: worker.hardTimeoutMs", worker.hardTimeoutMs, 1),
    abortCapacity: integer("createPool: abortSignalCapacity", options.abortSignalCapacity, 258, 1, 1 << 20),
    respawn: boolean("createPool: worker.respawn", worker.respawn, true),
    finishAll: boolean("createPool: worker.resolveAfterFinishingAll", worker.resolveAfterFinishingAll, false),
    bootstrap: bootstrap(worker.bootstrap, boundary),
    resourceLimits: limits(worker.resourceLimits, process),
    execArgv: flags(options.workerExecArgv),
    // A worker that spins on the only core keeps the host from submitting.
    spinMicroseconds: integer("createPool: worker.timers.spinMicroseconds", timers.spinMicroseconds, cores() > 1 ? 150 : 0, 0, 1_000_000),
    parkMs: timers.parkMs === undefined ? 0 : integer("createPool: worker.timers.parkMs", timers.parkMs, 0, 1, 2 ** 31 - 1),
    pauseNanoseconds: integer("createPool: worker.timers.pauseNanoseconds", timers.pauseNanoseconds, 0, 0, 1_000_000),
    timed: Object.values(timers).some((given) => given !== undefined),
    debug: topicsOf(options.debug),
    process,
    policy: policyOf(options.permission),
    source: options.source === undefined ? null : callerHref("createPool: source", options.source, boundary),
  };
}

/** Checks what `shutdown()` takes. */
export function delay(given: unknown): number {
  return milliseconds("shutdown(): delayMs", given, 0);
}

function initialBytes({ mode, payloadInitialBytes }: NonNullable<PoolOptions["payload"]>, arenaBytes: number): number {
  const given = integer("createPool: payload.payloadInitialBytes", payloadInitialBytes, 0, 0, arenaBytes);
  if (oneOf("createPool: payload.mode", mode, "growable", ["growable", "fixed"]) === "growable") return given;
  if (payloadInitialBytes === undefined || given === arenaBytes) return arenaBytes;
  throw new OptionError(`createPool: payload.payloadInitialBytes is ${given}, but with mode "fixed" all ${arenaBytes} bytes (payload.payloadMaxByteLength) are taken at the start: leave it out`);
}

function balancerOf(balancer: unknown): number {
  if (balancer === undefined) return 0;
  if (typeof balancer === "object") checkOptions("createPool: balancer", balancer, ["strategy"]);
  const strategy: unknown = typeof balancer === "object" ? (balancer as { strategy?: unknown }).strategy : balancer;
  if (strategy === undefined) throw new OptionError(`createPool: balancer.strategy must be one of ${STRATEGIES.join(", ")}`);
  const name = oneOf("createPool: balancer", strategy, "roundRobin", STRATEGIES);
  return name === "robinRound" ? BALANCERS.indexOf("roundRobin") : BALANCERS.indexOf(name);
}

function inliner(given: InlinerOptions | undefined): Required<InlinerOptions> | null {
  if (given === undefined) return null;
  checkOptions("createPool: inliner", given, ["position", "batchSize", "dispatchThreshold"]);
  return {
    position: oneOf("createPool: inliner.position", given.position, "last", ["first", "last"]),
    batchSize: integer("createPool: inliner.batchSize", given.batchSize, 1, 1, 65_536),
    dispatchThreshold: integer("createPool: inliner.dispatchThreshold", given.dispatchThreshold, 1, 1, 2 ** 31 - 1),
  };
}

function bootstrap(given: BootstrapOptions | undefined, boundary: Function): BootstrapBoot | null {
  if (given === undefined) return null;
  checkOptions("createPool: worker.bootstrap", given, ["href", "name", "data"]);
  const { name = "default" } = given;
  if (typeof name !== "string" || name === "") throw new OptionError(`createPool: worker.bootstrap.name must be the name of an export, not ${show(name)}`);
  return {
    href: callerHref("createPool: worker.bootstrap.href", given.href, boundary),
    name,
    data: encodeAlone(given.data, "worker.bootstrap.data"),
  };
}

function limits(given: ResourceLimits | undefined, process: ProcessSettings | null): ResourceLimits | undefined {
  if (given === undefined) return undefined;
  if (process !== null) throw new OptionError('createPool: worker.resourceLimits are for threads: limit a process by its flags, as in workerExecArgv: ["--max-old-space-size=100"]');
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
