/**
 * Tasks: functions that workers run.
 */
import { abortOf } from "./abort.ts";
import type { AbortOption, AbortTools } from "./abort.ts";
import { callerHref, callerUrl } from "./caller.ts";
import { checkOptions, show } from "./check.ts";
import { TaskDefinition } from "./definition.ts";
import { OptionError } from "./errors.ts";
import type { PoolOptions } from "./options.ts";
import type { Call, Pool } from "./pool.ts";
import { poolMaker } from "./pool-maker.ts";
import type { PoolMaker } from "./pool-maker.ts";
import { timeoutOf } from "./timeout.ts";
import type { Late, TaskTimeout, Timeout } from "./timeout.ts";

/** What `task()` takes. */
export interface TaskOptions<A, R, T extends TaskTimeout = TaskTimeout> {
  /** Runs in a worker: one argument, one result, synchronous or not. */
  readonly f: (arg: A) => R;
  /** How long a call may take, and how it is answered if it takes longer. */
  readonly timeout?: T | undefined;
  readonly abortSignal?: false | undefined;
}

/** What `task()` takes for a task that can be aborted. */
export interface AbortableTaskOptions<A, R, T extends TaskTimeout = TaskTimeout> {
  /** Runs in a worker: one argument, one result, synchronous or not. The second argument tells whether the host has aborted the call. */
  readonly f: (arg: A, tools: AbortTools) => R;
  readonly timeout?: T | undefined;
  /** Gives the function its second argument, and the call's promise its `reject()`. */
  readonly abortSignal: AbortOption;
}

/** What `importTask()` takes. */
export interface ImportTaskOptions<T extends TaskTimeout = TaskTimeout> {
  /** The module: a path relative to the calling module, an absolute path, or a URL. */
  readonly href: string | URL;
  /** The export's name; `"default"` unless given. */
  readonly name?: string | undefined;
  readonly timeout?: T | undefined;
  readonly abortSignal?: AbortOption | false | undefined;
}

/** A pool of one task. */
export interface SinglePool<T extends Task<never, unknown, boolean>> extends Omit<Pool<Record<never, never>>, "call"> {
  /** Runs the task in a worker. */
  readonly call: Call<T>;
}

/** What a function takes; anything if it looks at nothing. */
export type Argument<F extends (...args: never) => unknown> = Parameters<F> extends [] ? unknown : Parameters<F>[0];

/** A function that a pool can call. Its identity is the module and which `task()` call of that module made it. */
export class Task<A = unknown, R = unknown, K extends boolean = false> extends TaskDefinition<A, R, K> {
  /** A pool for this task alone. */
  createPool(options: PoolOptions = {}): SinglePool<Task<A, R, K>> {
    const { call, ...rest } = (poolMaker() as PoolMaker)(options, this.createPool)({ task: this });
    return { ...rest, call: call.task as Call<Task<A, R, K>> };
  }
}

const tasksByModule = new Map<string, Task<never>[]>();

/**
 * Describes a worker function. Make tasks at the top level of a module: the worker imports that module and takes the same one.
 *
 * ```ts
 * export const double = task({ f: (n: number) => n * 2 });
 * ```
 */
export function task<A, R, T extends TaskTimeout = TaskTimeout>(options: AbortableTaskOptions<A, R, T>): Task<A, R | Late<T>, true>;
export function task<A, R, T extends TaskTimeout = TaskTimeout>(options: TaskOptions<A, R, T>): Task<A, R | Late<T>>;
export function task(options: TaskOptions<unknown, unknown> | AbortableTaskOptions<unknown, unknown>): Task<unknown, unknown, boolean> {
  checkOptions("task", options, ["f", "timeout", "abortSignal"]);
  if (typeof options.f !== "function") throw new OptionError(`task({ f }): f must be a function, not ${show(options.f)}`);
  const [timeout, abortable] = control("task", options);
  const href = callerUrl(task);
  let made = tasksByModule.get(href);
  if (made === undefined) tasksByModule.set(href, (made = []));
  const described = new Task<unknown, unknown, boolean>(options.f, href, made.length, timeout, abortable);
  made.push(described as Task<never>);
  return described;
}

/**
 * Names a function that only workers import: the module is never evaluated here.
 *
 * ```ts
 * const resize = importTask<(image: Uint8Array) => Uint8Array>({ href: "./images.js", name: "resize" });
 * ```
 */
export function importTask<A, R, T extends TaskTimeout = TaskTimeout>(
  options: ImportTaskOptions<T> & { readonly abortSignal: AbortOption },
): Task<A, R | Late<T>, true>;
export function importTask<A, R, T extends TaskTimeout = TaskTimeout>(
  options: ImportTaskOptions<T> & { readonly abortSignal?: false | undefined },
): Task<A, R | Late<T>>;
export function importTask<F extends (arg: never, tools: AbortTools) => unknown>(
  options: ImportTaskOptions & { readonly abortSignal: AbortOption },
): Task<Argument<F>, ReturnType<F>, true>;
export function importTask<F extends (arg: never) => unknown>(
  options: ImportTaskOptions & { readonly abortSignal?: false | undefined },
): Task<Argument<F>, ReturnType<F>>;
export function importTask(options: ImportTaskOptions): Task<unknown, unknown, boolean> {
  checkOptions("importTask", options, ["href", "name", "timeout", "abortSignal"]);
  const { name = "default" } = options;
  if (typeof name !== "string" || name === "") throw new OptionError(`importTask({ name }): name must be the name of an export, not ${show(name)}`);
  const [timeout, abortable] = control("importTask", options);
  const href = callerHref("importTask({ href }): href", options.href, importTask);
  return new Task<unknown, unknown, boolean>(null, href, name, timeout, abortable);
}

function control(where: string, options: { readonly timeout?: unknown; readonly abortSignal?: unknown }): [Timeout | null, boolean] {
  return [timeoutOf(where, options.timeout), abortOf(where, options.abortSignal)];
}

/** The tasks that a module has made so far, in order. */
export function tasksOf(href: string): readonly Task<never>[] {
  return tasksByModule.get(href) ?? [];
}
