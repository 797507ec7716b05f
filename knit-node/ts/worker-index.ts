/**
 * `@vixeny/knitting` as a worker imports it that can be told to: without the half that makes pools, which takes longer to load than all else a task's module needs.
 *
 * The condition `knit-worker` of package.json leads here, for worker processes and for threads that Node.js starts with flags. So does Bun's own, since its threads take no
 * conditions: what is no worker gets the other half at once there.
 *
 * Who makes a pool all the same is no worker: a program that a task has started, with the flags of its own runtime. It gets that half then.
 *
 * @module
 */
import type * as Modules from "node:module";

import { refuse } from "./api/pool-in-worker.ts";
import { makesPools, poolMaker } from "./api/pool-maker.ts";
import type { PoolMaker } from "./api/pool-maker.ts";
import { settings } from "./api/options.ts";
import type { PoolOptions } from "./api/options.ts";
import type { Pool, Tasks } from "./api/pool.ts";
import { inPool, isMain } from "./runtime/current.ts";
import { builtin } from "./runtime/system.ts";

// Sources run as they are; the published package is compiled beside them.
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));

const make: PoolMaker = (options, boundary) => {
  if (inPool()) {
    // What is wrong with them is said here as anywhere.
    settings(options, boundary);
    return refuse;
  }
  loadOtherHalf();
  return (poolMaker() as PoolMaker)(options, boundary);
};

function loadOtherHalf(): void {
  builtin<typeof Modules>("node:module").createRequire(import.meta.url)(`./index${EXTENSION}`);
}

// Who was here first may have loaded the whole.
if (poolMaker() === null) {
  makesPools(make);
  if ("Bun" in globalThis && isMain) loadOtherHalf();
}

/** As that of `index.ts`. */
export function createPool(options: PoolOptions = {}): <T extends Tasks>(tasks: T) => Pool<T> {
  return (poolMaker() as PoolMaker)(options, createPool);
}

export * from "./exports.ts";
