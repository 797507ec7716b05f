// A contestant: one way to run a function elsewhere, or (the floor) nowhere.
//
// The loops that are measured are written out in every contestant, though they look alike: shared, their one call site would
// see every contestant and be inlined for none, which costs as much as what is measured.
import type { Runtime } from "../adapters/runtime.ts";

/** `knit` is the pool with thread workers, `process` the same with process workers. */
export type ContestantName = "knit" | "process" | "floor" | "post" | "piscina";

export interface Contestant {
  readonly name: ContestantName;
  /** The worker's clock (`workers/work.js`), as all times below. */
  clock(): Promise<number>;
  empty(): Promise<unknown>;
  echo(value: unknown): Promise<unknown>;
  sleep(ms: number): Promise<number>;
  /** An asynchronous task whose promise stays open for so long. Only the pools have it. */
  pause(ms: number): Promise<void>;
  spin(ms: number): Promise<number>;
  fib(n: number): Promise<number>;
  /** Empty calls, each awaited before the next; fills `durations` with the milliseconds that each took. */
  oneByOne(durations: Float64Array): Promise<void>;
  /** `n` empty calls at once. */
  emptyBatch(n: number): Promise<unknown>;
  /** `n` calls at once, each sending `value` there and back. */
  echoBatch(value: unknown, n: number): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts a contestant; its module and everything that it imports is loaded already. Only process workers take a permission. */
export type Start = (runtime: Runtime, workers: number, permission?: "strict" | "unsafe") => Contestant;

/** Loads what a contestant needs, so that starting it measures nothing but the start. */
export async function load(name: ContestantName): Promise<Start> {
  switch (name) {
    case "knit":
      return (await import("./knit.ts")).start;
    case "process":
      return (await import("./knit-process.ts")).start;
    case "floor":
      return (await import("./floor.ts")).start;
    case "post":
      return (await import("./post.ts")).start;
    case "piscina":
      return (await import("./piscina.ts")).start;
  }
}

/** Loads and starts a contestant. */
export async function open(name: ContestantName, runtime: Runtime, workers = 1): Promise<Contestant> {
  const start = await load(name);
  return start(runtime, workers);
}
