/**
 * The load under which processes are killed: random calls, each of which must settle once, with its answer or with its worker's death.
 */
import assert from "node:assert/strict";

import { WorkerCrashedError, createPool } from "../../ts/index.ts";
import { ProcessSharedBuffer } from "../../ts/shared-memory/process-shared-buffer.ts";
import type { Random } from "../random.ts";
import * as tasks from "./tasks.ts";

/** Workers inherit the pool's memory, or connect to a name. */
export type Way = "inherit" | "named";

export const makePool = (way: Way = "inherit") => createPool({ threads: 3, worker: { runtime: "process", processSharedMemory: way } })({ ...tasks });
export type FaultPool = ReturnType<typeof makePool>;

/** Calls at once, at most. */
const BATCH = 100;

export class Load {
  /** Calls that have settled. */
  calls = 0;
  /** Those that their worker's death has rejected. */
  crashed = 0;
  /** Workers that have answered. */
  readonly serving = new Set<number>();
  readonly #pool: FaultPool;
  readonly #random: Random;

  constructor(pool: FaultPool, random: Random) {
    this.#pool = pool;
    this.#random = random;
  }

  /** Some calls at once; resolves when all have settled, and fails if one has done so wrongly. */
  async batch(): Promise<void> {
    await Promise.all(Array.from({ length: 1 + Math.floor(this.#random() * BATCH) }, () => this.#one()));
  }

  #one(): Promise<void> {
    const { call } = this.#pool;
    const kind = this.#random();
    const n = Math.floor(this.#random() * 1e6);
    if (kind < 0.55) {
      const value = { n, text: "x".repeat(n % 500) };
      return this.#settles(call.echo(value), (answer) => assert.deepEqual(answer, value));
    }
    if (kind < 0.6) return this.#settles(call.serves(), (pid) => void this.serving.add(pid));
    if (kind < 0.7) {
      const bytes = new Uint8Array(300_000).fill(n);
      return this.#settles(call.echo(bytes), (answer) => assert.deepEqual([(answer as Uint8Array).length, (answer as Uint8Array).at(-1)], [bytes.length, bytes[0]]));
    }
    if (kind < 0.8) return this.#settles(call.later(n % 8), (answer) => assert.equal(answer, n % 8));
    if (kind < 0.9) return this.#settles(call.burns(1), (answer) => assert.equal(answer, 1));
    return this.#shares();
  }

  async #shares(): Promise<void> {
    const buffer = ProcessSharedBuffer.create(4096);
    try {
      await this.#settles(this.#pool.call.shares(buffer), (own) => {
        assert.deepEqual([buffer.view(Int32Array)[0], own.bytes()[0]], [1, 1]);
        own.close();
      });
    } finally {
      buffer.close();
    }
  }

  /** That a promise settles twice nobody can see from outside; what can be is an answer that is another call's. */
  async #settles<T>(promise: Promise<T>, check: (answer: T) => void): Promise<void> {
    try {
      check(await promise);
    } catch (error) {
      if (!(error instanceof WorkerCrashedError)) throw error;
      this.crashed++;
    }
    this.calls++;
  }
}
