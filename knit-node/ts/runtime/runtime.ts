/**
 * What differs between runtimes, and nothing else: how workers are started and how they end.
 */
import type { ProcessRuntime } from "../api/process-options.ts";
import type { Binding } from "../api/binding.ts";
import type { Topic } from "../api/debug.ts";
import type { WorkerEnd } from "../shared-memory/link.ts";
import type { Plan, Restriction } from "./plan.ts";

/** Everything that a worker needs to take its place. */
export interface WorkerBoot {
  readonly token: number;
  readonly index: number;
  readonly epoch: number;
  readonly steal: boolean;
  readonly spinMicroseconds: number;
  readonly parkMs: number;
  readonly pauseNanoseconds: number;
  readonly maxPayloadBytes: number;
  /** How long a task may wait for its promises; 0: for ever. */
  readonly hardTimeoutMs: number;
  readonly bindings: readonly Binding[];
  /** Memory that messages name comes through it; to be transferred. Null in a process. */
  readonly memories: WorkerEnd | null;
  readonly bootstrap: BootstrapBoot | null;
  readonly debug: readonly Topic[];
  /** Whose worker it is, for debug lines. */
  readonly pool: string;
  /** What it gives up before it loads anything of the user's. */
  readonly restriction: Restriction | null;
}

/** What a worker begins with: the other end of its memories may come later. */
export type EarlyBoot = Omit<WorkerBoot, "memories"> & { readonly memories: WorkerEnd | null | Promise<WorkerEnd | null> };

/** What a host tells its worker processes: the same to all of them. */
export type ProcessBoot = Omit<WorkerBoot, "token" | "index" | "epoch" | "steal" | "memories"> & {
  /** Which runtime was asked for by name. */
  readonly runtime: ProcessRuntime | null;
};

/** A function to run before tasks are loaded. */
export interface BootstrapBoot {
  readonly href: string;
  readonly name: string;
  /** Its argument, as a message. */
  readonly data: Uint8Array;
}

/** Heap limits of a worker thread, as Node.js takes them. */
export interface ResourceLimits {
  readonly maxYoungGenerationSizeMb?: number;
  readonly maxOldGenerationSizeMb?: number;
  readonly codeRangeSizeMb?: number;
  readonly stackSizeMb?: number;
}

/** How a worker is started. */
export interface WorkerSettings {
  /** The module to run instead of this package's own entry. */
  readonly source: string | null;
  readonly execArgv: readonly string[] | undefined;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly permissions: WorkerPermissions | null;
}

/** What workers may do, for whoever starts them. */
export interface WorkerPermissions {
  /** Null: everything. */
  readonly plan: Plan | null;
  /** The plan as text. */
  readonly text: string;
  /** Policy and target as text, for a starter behind a wrapper. */
  readonly request: string;
}

/** What a starter behind a command prefix is told, as its only argument. */
export interface StarterOrder {
  /** Policy and target. */
  readonly request: string;
  /** A program that is no JavaScript. */
  readonly command: readonly string[] | null;
  /** What follows the runtime's name, before its flags. */
  readonly run: readonly string[];
  readonly flags: readonly string[];
  readonly script: string;
}

/**
 * What a worker says: before it serves, once, that it is ready or has failed; later, that one of its tasks took too long, and that it has stopped as it was asked
 * to.
 */
export type WorkerMessage = { readonly ready: true } | { readonly failed: SerializedFailure } | { readonly overdue: true } | { readonly stopped: true };

/** What a worker process says about itself; the last is what nobody has caught. */
export type WorkerNote = WorkerMessage | { readonly dies: unknown };

/** Why a worker could not start; plain, since it crosses before the engine is there. */
export interface SerializedFailure {
  readonly code: string;
  readonly message: string;
  readonly stack: string;
}

/** Why a worker cannot start, for its host. */
export function serializeFailure(error: unknown): SerializedFailure {
  if (!(error instanceof Error)) return { code: "KNT_WORKER_START", message: String(error), stack: String(error) };
  const { code } = error as { code?: unknown };
  return { code: typeof code === "string" ? code : "KNT_WORKER_START", message: error.message, stack: error.stack ?? error.message };
}

/** How a process ended. */
export interface ProcessEnd {
  /** The signal that ended it, if one did. */
  readonly signal: string | null;
  /** The last lines of its standard error. */
  readonly stderr: string;
}

/** Who hears of a worker. */
export interface WorkerListener {
  message(message: WorkerMessage): void;
  /** It has really ended; `error` is what it died of, if that is known. A process that a signal has ended has no code. */
  exit(code: number | null, error: unknown, end?: ProcessEnd): void;
}

/** A started worker. */
export interface WorkerHandle {
  /** Resolves when it has really ended. */
  readonly ended: Promise<void>;
  terminate(): Promise<void>;
}

/** Who starts the workers of one pool. None of them keeps the process alive. */
export interface Starter {
  start(boot: WorkerBoot, settings: WorkerSettings, listener: WorkerListener): WorkerHandle;
  /** No more will be started than have been. */
  discard(): void;
}

/** What each runtime's file exports. */
export interface Runtime {
  /** Whether this is the thread that the user started. */
  isMain(): boolean;
  /** Whether this thread is a worker of a pool. */
  inPool(): boolean;
  /** What the host gave this thread; null if no host waits for it. */
  receiveBoot(): Promise<EarlyBoot | null>;
  /** Tells the host. */
  say(message: WorkerMessage): void;
  /** Who starts the worker threads of a pool: so many, with the user's own entry or this package's, with or without permissions. */
  starter(threads: number, source: string | null, unsafe: boolean): Starter;
}
