/**
 * Bells that any native thread rings, through N-API, which reaches the event loops of all runtimes: the C library gets the address of a function and a
 * number (`knit-node/src/foreign_bell.rs`).
 */
import type { LoopBell } from "./bells.ts";

/** What the N-API library has for this. */
export interface RingNative {
  /** A bell on this thread; it keeps no event loop alive unless asked to. Returns its number. */
  bellCreate(callback: () => void): number;
  /** The address of the function that rings; its context is the bell's number. */
  bellRing(): number;
  bellKeepAlive(bell: number, alive: boolean): void;
  bellClose(bell: number): void;
}

/** A bell of this thread. */
export class RingBell implements LoopBell {
  readonly #native: RingNative;
  /** What the engine is given: a function's address, and its context. */
  readonly ring: number;
  readonly context: number;

  constructor(native: RingNative, callback: () => void) {
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
