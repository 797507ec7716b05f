/**
 * `@vixeny/knitting` as a worker imports it that can be told to: without the half that makes pools, which takes longer to load than all else a task's module needs.
 *
 * The condition `knit-worker` of package.json leads here, for worker processes and for threads that Node.js starts with flags; Bun's threads come through `bun-index.ts`.
 *
 * Who makes a pool all the same is no worker of a pool: a program that a task has started, with the flags of its own runtime, or on Bun a thread of the user's. It gets that half then.
 *
 * @module
 */
import { refuse } from "./api/pool-in-worker.ts";
import { makesPools, poolMaker } from "./api/pool-maker.ts";
import type { PoolMaker } from "./api/pool-maker.ts";
import { settings } from "./api/options.ts";
import type { PoolOptions } from "./api/options.ts";
import type { Pool, Tasks } from "./api/pool.ts";
import { loadOtherHalf } from "./other-half.ts";
import { engine, inPool } from "./runtime/current.ts";

const make: PoolMaker = (options, boundary) => {
  if (inPool()) {
    // What is wrong with them is said here as anywhere.
    settings(options, boundary);
    return refuse;
  }
  // Where there is no engine there is no other half, and this says why.
  engine();
  loadOtherHalf();
  return (poolMaker() as PoolMaker)(options, boundary);
};

// Who was here first may have loaded the whole.
if (poolMaker() === null) makesPools(make);

/** As that of `index.ts`. */
export function createPool(options: PoolOptions = {}): <T extends Tasks>(tasks: T) => Pool<T> {
  return (poolMaker() as PoolMaker)(options, createPool);
}

export * from "./exports.ts";
