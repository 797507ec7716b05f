/**
 * What abort-aware tasks get as second argument, and who hears of an abort.
 *
 * `hasAborted` reads one word of shared memory. A `signal` must be told: tasks that asked for theirs and are still running are *watched*, the host
 * wakes a worker that watches, and after each turn that saw a new abort all of them look.
 */
import type { AbortTools } from "../api/abort.ts";
import { HEADER_ABORT_SLOTS, HEADER_ABORT_WORDS } from "../generated/layout.ts";
import type { PoolMemory } from "../host/memory.ts";

/** The toolkit of one call, and its end. */
export interface CallTools {
  readonly tools: AbortTools;
  /** The task is over. */
  readonly end: () => void;
}

export class Aborts {
  readonly #words: Int32Array;
  /** Looks of those that are watched. */
  readonly #watched = new Set<() => void>();
  readonly #watch: (watches: boolean) => void;
  #seen = 0;

  /** `watch` tells the engine whether an abort must wake this worker. */
  constructor(memory: PoolMemory, watch: (watches: boolean) => void) {
    const { i32 } = memory.front;
    const at = i32[HEADER_ABORT_WORDS >>> 2] >>> 2;
    this.#words = i32.subarray(at, at + i32[HEADER_ABORT_SLOTS >>> 2]);
    this.#watch = watch;
  }

  /** The toolkit of a call with that slot. */
  tools(slot: number, ticket: number): CallTools {
    const words = this.#words;
    // A slot that does not exist is nobody's: so is its call's result.
    const hasAborted = (): boolean => slot >= words.length || slot < 0 || Atomics.load(words, slot) !== ticket;
    let controller: AbortController | null = null;
    const look = (): void => {
      if (!hasAborted()) return;
      this.#forget(look);
      controller?.abort();
    };
    const signal = (): AbortSignal => {
      if (controller === null) {
        controller = new AbortController();
        this.#add(look);
        look();
      }
      return controller.signal;
    };
    return {
      tools: {
        hasAborted,
        now: () => performance.now(),
        get signal() {
          return signal();
        },
      },
      end: () => this.#forget(look),
    };
  }

  /** After a turn: `aborts` is how many the host has made. */
  look(aborts: number): void {
    if (aborts === this.#seen) return;
    this.#seen = aborts;
    for (const look of this.#watched) look();
  }

  #add(look: () => void): void {
    this.#watched.add(look);
    if (this.#watched.size === 1) this.#watch(true);
  }

  #forget(look: () => void): void {
    if (this.#watched.delete(look) && this.#watched.size === 0) this.#watch(false);
  }
}
