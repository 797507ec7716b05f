/**
 * Who makes pools here. A worker finds its tasks without the half of this package that makes pools, and who loads that half says so here.
 */
import type { PoolOptions } from "./options.ts";
import type { Pool, Tasks } from "./pool.ts";

/** As `createPool`; paths in the options are relative to the module that called `boundary`. */
export type PoolMaker = (options: PoolOptions, boundary: Function) => <T extends Tasks>(tasks: T) => Pool<T>;

let maker: PoolMaker | null = null;

/** Says who makes pools from now on. */
export function makesPools(given: PoolMaker): void {
  maker = given;
}

export function poolMaker(): PoolMaker | null {
  return maker;
}
