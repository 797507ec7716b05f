/**
 * What a worker gets for a pool: its module that makes the pool is imported there too, and only using it is wrong.
 */
import { PoolInWorkerError } from "./errors.ts";
import type { Pool, Tasks } from "./pool.ts";

/** A pool whose use is an error. */
export function refuse<T extends Tasks>(tasks: T): Pool<T> {
  const call = Object.create(null) as Record<string, () => Promise<never>>;
  for (const key of Object.keys(tasks)) call[key] = () => Promise.reject(new PoolInWorkerError());
  return {
    call: Object.freeze(call) as unknown as Pool<T>["call"],
    alloc() {
      throw new PoolInWorkerError();
    },
    stats() {
      throw new PoolInWorkerError();
    },
    permissions() {
      throw new PoolInWorkerError();
    },
    shutdown: () => Promise.resolve(),
    [Symbol.dispose]() {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
