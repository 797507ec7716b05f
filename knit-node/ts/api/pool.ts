/**
 * Pools: tasks in, typed calls out.
 */
import { Host } from "../host/host.ts";
import { withAdvice } from "../host/limits.ts";
import type { InlineFunction } from "../host/inline.ts";
import { Permissions } from "../host/permissions.ts";
import { Processes } from "../host/processes.ts";
import { Workers } from "../host/workers.ts";
import { refusePermissionFlags } from "../runtime/command.ts";
import { engine, inPool, later, starter } from "../runtime/current.ts";
import type { Native } from "../runtime/native.ts";
import * as system from "../runtime/system.ts";
import { targetOf } from "../runtime/target.ts";
import { NativeTask } from "./native-task.ts";
import type { AbortablePromise } from "./abort.ts";
import type { Binding } from "./binding.ts";
import { callerUrls } from "./caller.ts";
import { checkOptions, show } from "./check.ts";
import { isPromise } from "./promise.ts";
import { debugFor } from "./debug.ts";
import type { Debug } from "./debug.ts";
import { TASKS, TaskDefinition } from "./definition.ts";
import { OptionError, PoolClosedError } from "./errors.ts";
import { delay, settings } from "./options.ts";
import type { PoolOptions, Settings } from "./options.ts";
import type { PermissionReport } from "./permission.ts";
import type { ProcessSettings } from "./process-options.ts";
import type { PoolStats } from "./stats.ts";
import { findExports } from "./plain-function.ts";
import { refuse } from "./pool-in-worker.ts";
import { makesPools } from "./pool-maker.ts";

/** An exported function in place of a task. */
// Any argument and result: a record of tasks of all kinds.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type PlainFunction = (arg: any) => unknown;

/** What `createPool(options)` takes: tasks, or exported functions, under names of the user's choice. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Tasks = Readonly<Record<string, TaskDefinition<any, any> | PlainFunction>>;

/** What a call takes beside the argument. */
export interface CallOptions {
  /** Aborts the call: it rejects with the signal's reason at once, and never runs if no worker has taken it. */
  readonly signal: AbortSignal;
}

/** A call whose argument is needed. */
export interface ArgumentCall<A, R> {
  (arg: A | Promise<A>, options: CallOptions): R;
  (arg: A | Promise<A>): R;
}

/** A call whose argument may be left out. */
export interface OptionalCall<A, R> {
  (arg: A | Promise<A> | undefined, options: CallOptions): R;
  (arg?: A | Promise<A>): R;
}

type CallOf<A, R> = unknown extends A ? OptionalCall<unknown, R> : undefined extends A ? OptionalCall<A, R> : ArgumentCall<A, R>;

/** A task as it is called from the host. */
export type Call<T> =
  T extends TaskDefinition<infer A, infer R, infer K>
    ? CallOf<A, K extends true ? AbortablePromise<Awaited<R>> : Promise<Awaited<R>>>
    : T extends (...args: infer P) => infer R
      ? CallOf<P extends [] ? unknown : P[0], Promise<Awaited<R>>>
      : never;

/** A running pool. */
export interface Pool<T extends Tasks> {
  /** One function for each task: it runs the task in a worker. */
  readonly call: { readonly [K in keyof T]: Call<T[K]> };
  /**
   * A zeroed array of so many bytes in the pool's memory. Fill it and send it in a call: nothing is copied. It *moves* with the call, as in a transfer
   * list: afterwards it is empty here. (Parts of it, and copies, are sent like any other array.) Without room in the shared memory it is ordinary
   * memory, which moves too, and is copied.
   */
  alloc(bytes: number): Uint8Array;
  /** What the pool and its workers have done so far. After the end it tells how things stood then. */
  stats(): PoolStats;
  /** What tasks may do, and who enforces it: the kernel, the runtime, a check in the worker, or nobody. */
  permissions(): PermissionReport;
  /**
   * Ends the pool, `delayMs` from now: open calls reject with `PoolClosedError`, or are waited for with `worker.resolveAfterFinishingAll`. Resolves
   * when every worker has ended and the memory is given back. Further calls of it return the same promise.
   */
  shutdown(delayMs?: number): Promise<void>;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts workers. They are up some milliseconds later; calls made before wait for them.
 *
 * ```ts
 * if (isMain) {
 *   await using pool = createPool({ threads: 2 })({ double });
 *   console.log(await pool.call.double(21));
 * }
 * ```
 */
export function createPool(options: PoolOptions = {}): <T extends Tasks>(tasks: T) => Pool<T> {
  return poolMaker(options, createPool);
}

makesPools(poolMaker);

/** As `createPool`; paths in the options are relative to the module that called `boundary`. */
function poolMaker(options: PoolOptions, boundary: Function): <T extends Tasks>(tasks: T) => Pool<T> {
  const chosen = settings(options, boundary);
  return function make(tasks) {
    return inPool() ? refuse(tasks) : start(chosen, tasks, make);
  };
}

let pools = 0;

function start<T extends Tasks>(chosen: Settings, tasks: T, boundary: Function): Pool<T> {
  if (typeof tasks !== "object" || tasks === null) throw new OptionError(`createPool()(tasks) takes an object of tasks, as in createPool()({ double }), not ${show(tasks)}`);
  const keys = Object.keys(tasks);
  const definitions = keys.map((key) => definition(key, tasks[key]));
  if (keys.length > 0xffff) throw new OptionError(`A pool takes up to 65535 tasks, not ${keys.length}`);
  checkNative(keys, definitions, chosen);
  const name = `pool ${++pools}`;
  const debug = debugFor(chosen.debug, name);
  debug.host?.(`starts ${chosen.threads} workers for ${keys.length} tasks`);

  const { host, workers, permissions } = launch(chosen, keys, definitions, boundary, name, debug);

  // A literal's properties are found faster than those of an object without a prototype.
  const call: Record<string, unknown> = {};
  keys.forEach((key, fn) => {
    Object.defineProperty(call, key, { value: caller(host, fn, key, definitions[fn]), enumerable: true });
  });

  let closed: Promise<void> | null = null;
  const end = async (delayMs: number): Promise<void> => {
    debug.host?.(`is to be shut down in ${delayMs} ms`);
    if (delayMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, delayMs));
    if (chosen.finishAll) await host.finish(new PoolClosedError());
    await workers.shutdown();
  };
  const shutdown = (delayMs = 0): Promise<void> => (closed ??= end(delay(delayMs)));
  return {
    call: Object.freeze(call) as unknown as Pool<T>["call"],
    alloc(bytes) {
      if (!Number.isSafeInteger(bytes) || bytes < 0) throw new OptionError(`pool.alloc(bytes) takes a whole number of bytes, not ${String(bytes)}`);
      return host.alloc(bytes);
    },
    stats: () => host.stats(),
    permissions: () => permissions.report,
    shutdown,
    [Symbol.dispose]() {
      void shutdown();
    },
    [Symbol.asyncDispose]: () => shutdown(),
  };
}

interface Launched {
  readonly host: Host;
  readonly workers: Workers;
  readonly permissions: Permissions;
}

/** Starts the workers: their threads first, where these need to know nothing yet, since they load their modules meanwhile. */
function launch(chosen: Settings, keys: readonly string[], definitions: readonly Definition[], boundary: Function, name: string, debug: Debug): Launched {
  const threads = chosen.process === null ? starter(chosen.threads, chosen.source, chosen.policy === "unsafe") : null;
  let host: Host | null = null;
  try {
    const native = engine();
    const permissions = permissionsOf(native, chosen, definitions, boundary);
    const functions = definitions.map((each) => (each instanceof TaskDefinition ? each.f : each));
    host = new Host(native, chosen, later, functions as readonly InlineFunction[], debug);
    const starts = threads ?? new Processes(native, host, chosen.process as ProcessSettings);
    if (permissions.plan !== null) host.replies.explain = permissions.explain;
    const workers = new Workers(host, native, chosen, bindings(keys, definitions, boundary), starts, debug, name, permissions);
    return { host, workers, permissions };
  } catch (error) {
    // The runtime refuses to start a worker, because of its flags for example.
    threads?.discard();
    host?.close();
    throw withAdvice(error);
  }
}

/** What the workers may do: planned before any of them is told anything. */
function permissionsOf(native: Native, chosen: Settings, definitions: readonly Definition[], boundary: Function): Permissions {
  const { policy, process: processes, bootstrap, source } = chosen;
  if (policy !== "unsafe") refusePermissionFlags(chosen.execArgv);
  const hrefs = definitions.flatMap((each) => (each instanceof TaskDefinition ? each.href : callerUrls(boundary)));
  for (const href of [bootstrap?.href, source]) if (href != null) hrefs.push(href);
  // The host runs no task that only workers have.
  const inlined = chosen.inliner !== null && definitions.some((each) => !(each instanceof TaskDefinition) || each.f !== null);
  return new Permissions(native, policy, () => targetOf(processes, hrefs), environment(), inlined);
}

/** What the workers' environment is made from; undefined if Deno may not tell: then the engine asks the system. */
function environment(): Readonly<Record<string, string | undefined>> | undefined {
  try {
    return system.environment();
  } catch {
    return undefined;
  }
}

/** The function that users call. */
function caller(host: Host, fn: number, key: string, definition: Definition): (value: unknown, options?: unknown) => Promise<unknown> {
  const { timeout, abortable } = definition instanceof TaskDefinition ? definition : { timeout: null, abortable: false };
  const control = { key, timeout, abortable };
  const controlled = timeout !== null || abortable;
  const plain = (value: unknown): Promise<unknown> => (typeof value === "object" && isPromise(value) ? host.callAwaited(fn, value) : host.call(fn, value));
  const withOptions = (value: unknown, options: unknown): Promise<unknown> => {
    try {
      const signal = signalOf(options, value);
      return controlled || signal !== null ? host.callControlled(fn, control, value, signal) : plain(value);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  if (controlled) return withOptions;
  return (value, options) => {
    if (typeof options === "object" && options !== null) return withOptions(value, options);
    return typeof value === "object" && isPromise(value) ? host.callAwaited(fn, value) : host.call(fn, value);
  };
}

/**
 * The signal of a call's options. Whatever else comes second is not looked at if it is no object: an index, if the function is given to `map`. Nor is the
 * argument itself, which the `forEach` of a `Set` gives twice.
 */
function signalOf(options: unknown, value: unknown): AbortSignal | null {
  if (typeof options !== "object" || options === null || options === value) return null;
  if (isSignal(options)) throw new OptionError("A call takes its signal in an object: call.name(arg, { signal })");
  checkOptions("A call", options, ["signal"]);
  const { signal } = options as { readonly signal?: unknown };
  if (signal === undefined) return null;
  if (isSignal(signal)) return signal;
  throw new OptionError(`A call's signal must be an AbortSignal, not ${show(signal)}`);
}

function isSignal(value: unknown): value is AbortSignal {
  const { aborted, addEventListener } = (typeof value === "object" && value !== null ? value : {}) as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function";
}

/** Programs have their own tasks, and only those. */
function checkNative(keys: readonly string[], definitions: readonly Definition[], { process, source, bootstrap, execArgv, timed }: Settings): void {
  const command = process?.command ?? null;
  definitions.forEach((each, i) => {
    if (each instanceof NativeTask === (command !== null)) return;
    const what = command === null ? "is a native task: it needs worker.command" : "is not one that worker.command can run: name the program's with nativeTask(name)";
    throw new OptionError(`createPool()({ ${keys[i]} }): the task ${what}`);
  });
  if (command === null || (source === null && bootstrap === null && execArgv === undefined && !timed)) return;
  throw new OptionError("createPool: source, worker.bootstrap, worker.timers and workerExecArgv are for JavaScript, and worker.command is none");
}

type Definition = TaskDefinition<never> | PlainFunction;

function definition(key: string, given: unknown): Definition {
  if (given instanceof TaskDefinition || typeof given === "function") return given as Definition;
  const another = (given as { readonly constructor?: { readonly [TASKS]?: unknown } } | null | undefined)?.constructor?.[TASKS];
  const what = another === undefined ? "neither a task nor a function. Make a task with task({ f })" : `a task of another copy of this package, which workers would not find. Install one copy that both use: \`npm ls ${String(another)}\` shows them`;
  throw new OptionError(`createPool()({ ${key} }): ${what}`);
}

/** How workers find the functions. Where a plain function is from is only known after a look. */
function bindings(keys: readonly string[], definitions: readonly Definition[], boundary: Function): readonly Binding[] | Promise<readonly Binding[]> {
  const plain = new Map<string, PlainFunction>();
  const known = new Map<string, Binding>();
  definitions.forEach((each, i) => {
    if (each instanceof TaskDefinition) known.set(keys[i], each.binding(keys[i]));
    else plain.set(keys[i], each);
  });
  if (plain.size === 0) return [...known.values()];
  return findExports(plain, callerUrls(boundary)).then((found) => {
    for (const each of found) known.set(each.key, each);
    return keys.map((key) => known.get(key) as Binding);
  });
}
