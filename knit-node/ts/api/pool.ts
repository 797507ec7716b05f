/**
 * Pools: tasks in, typed calls out.
 */
import { Host } from "../host/host.ts";
import { Workers } from "../host/workers.ts";
import { boot, engine, later, startWorker } from "../runtime/node.ts";
import type { Binding } from "./binding.ts";
import { OptionError, PoolInWorkerError } from "./errors.ts";
import { settings } from "./options.ts";
import type { PoolOptions, Settings } from "./options.ts";
import { Task } from "./task.ts";

/** What `createPool(options)` takes: tasks under names of the user's choice. */
// Any argument and result: a record of tasks of all kinds.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Tasks = Readonly<Record<string, Task<any, any>>>;

/** A task as it is called from the host. */
export type Call<T> =
  T extends Task<infer A, infer R>
    ? unknown extends A
      ? (arg?: unknown) => Promise<Awaited<R>>
      : undefined extends A
        ? (arg?: A | Promise<A>) => Promise<Awaited<R>>
        : (arg: A | Promise<A>) => Promise<Awaited<R>>
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
  /**
   * Ends the pool, `delayMs` from now: open calls reject with `PoolClosedError`. Resolves when every worker has ended and the memory is
   * given back. Further calls of it return the same promise.
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
  const chosen = settings(options);
  return (tasks) => (boot === null ? start(chosen, tasks) : refuse(tasks));
}

function start<T extends Tasks>(chosen: Settings, tasks: T): Pool<T> {
  const keys = Object.keys(tasks);
  if (keys.length > 0xffff) throw new OptionError(`A pool takes up to 65535 tasks, not ${keys.length}`);
  const bindings: Binding[] = keys.map((key) => {
    const task: unknown = tasks[key];
    if (!(task instanceof Task)) throw new OptionError(`createPool()({ ${key} }): not a task. Make one with task({ f })`);
    return task.binding(key);
  });

  const native = engine();
  const host = new Host(native, chosen, later);
  let workers: Workers;
  try {
    workers = new Workers(host, native, chosen, bindings, startWorker);
  } catch (error) {
    // The runtime refuses to start a worker, because of its flags for example.
    host.close();
    throw error;
  }
  let closed: Promise<void> | null = null;

  // A literal's properties are found faster than those of an object without a prototype.
  const call: Record<string, unknown> = {};
  keys.forEach((key, fn) => {
    const send = (value: unknown): Promise<unknown> =>
      typeof value === "object" && value instanceof Promise ? value.then(send) : host.call(fn, value);
    Object.defineProperty(call, key, { value: send, enumerable: true });
  });

  const end = async (delayMs: number): Promise<void> => {
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    await workers.shutdown();
  };
  const shutdown = (delayMs = 0): Promise<void> => (closed ??= end(delayMs));
  return {
    call: Object.freeze(call) as unknown as Pool<T>["call"],
    alloc(bytes) {
      if (!Number.isSafeInteger(bytes) || bytes < 0) throw new OptionError(`pool.alloc(bytes) takes a whole number of bytes, not ${String(bytes)}`);
      return host.alloc(bytes);
    },
    shutdown,
    [Symbol.dispose]() {
      void shutdown();
    },
    [Symbol.asyncDispose]: () => shutdown(),
  };
}

/** In a worker the module that makes the pool is imported too: only using it is wrong. */
function refuse<T extends Tasks>(tasks: T): Pool<T> {
  const call = Object.create(null) as Record<string, () => Promise<never>>;
  for (const key of Object.keys(tasks)) call[key] = () => Promise.reject(new PoolInWorkerError());
  return {
    call: Object.freeze(call) as unknown as Pool<T>["call"],
    alloc() {
      throw new PoolInWorkerError();
    },
    shutdown: () => Promise.resolve(),
    [Symbol.dispose]() {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
