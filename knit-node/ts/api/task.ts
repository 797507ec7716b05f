/**
 * Tasks: functions that workers run.
 */
import { fingerprint } from "./binding.ts";
import type { Binding } from "./binding.ts";
import { callerUrl } from "./caller.ts";
import { OptionError } from "./errors.ts";
import { checkOptions } from "./options.ts";

/** What `task()` takes. */
export interface TaskOptions<A, R> {
  /** Runs in a worker: one argument, one result, synchronous or not. */
  readonly f: (arg: A) => R;
}

/** A function that a pool can call. Its identity is the module and which `task()` call of that module made it. */
export class Task<A = unknown, R = unknown> {
  readonly f: (arg: A) => R;
  readonly href: string;
  readonly index: number;

  constructor(f: (arg: A) => R, href: string, index: number) {
    this.f = f;
    this.href = href;
    this.index = index;
  }

  /** How a worker finds it. */
  binding(key: string): Binding {
    return { key, href: this.href, which: this.index, fingerprint: fingerprint(this.f) };
  }
}

const tasksByModule = new Map<string, Task[]>();

/**
 * Describes a worker function. Make tasks at the top level of a module: the worker imports that module and takes the same one.
 *
 * ```ts
 * export const double = task({ f: (n: number) => n * 2 });
 * ```
 */
export function task<A, R>(options: TaskOptions<A, R>): Task<A, R> {
  checkOptions("task", options, ["f"]);
  if (typeof options.f !== "function") throw new OptionError("task({ f }): f must be a function");
  const href = callerUrl(task);
  let made = tasksByModule.get(href);
  if (made === undefined) tasksByModule.set(href, (made = []));
  const described = new Task(options.f, href, made.length);
  made.push(described as Task);
  return described;
}

/** The tasks that a module has made so far, in order. */
export function tasksOf(href: string): readonly Task[] {
  return tasksByModule.get(href) ?? [];
}
