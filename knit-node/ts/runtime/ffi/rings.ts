/**
 * Bells that any native thread rings, through N-API, which reaches the event loops of all runtimes: the C interface gets the address of a function and a
 * number (`knit-node/src/foreign_bell.rs`).
 */
import type { LoopBell } from "./bells.ts";
import type { ForeignNative } from "./library.ts";

/** A bell of this thread. */
export class RingBell implements LoopBell {
  readonly #native: ForeignNative;
  /** What the engine is given: a function's address, and its context. */
  readonly ring: number;
  readonly context: number;

  constructor(native: ForeignNative, callback: () => void) {
    this.#native = native;
    this.context = native.bellCreate(callback);
    this.ring = native.bellRing();
  }

  /** It may be rung at any time. */
  armed(): void {}

  keepAlive(alive: boolean): void {
    this.#native.bellKeepAlive(this.context, alive);
  }

  close(): void {
    this.#native.bellClose(this.context);
  }
}
