/**
 * Gives the memory of large payloads back to the system once none was sent for a while. One timer, and only while there may be something to give
 * back: the pages that one burst has used are there for the next.
 */
import { inAWhile } from "../runtime/timer.ts";

/** Milliseconds without a large payload. */
const QUIET = 1000;

export class Trimmer {
  /** A large payload was sent since the timer was set. */
  touched = false;
  #cancel: (() => void) | null = null;
  #trim: (() => void) | null;

  constructor(trim: () => void) {
    this.#trim = trim;
  }

  /** The event loop goes to sleep. */
  rest(): void {
    if (!this.touched || this.#cancel !== null || this.#trim === null) return;
    this.touched = false;
    this.#cancel = inAWhile(QUIET, () => {
      this.#cancel = null;
      if (this.touched) this.rest();
      else this.#trim?.();
    });
  }

  /** There is nothing to trim any more. */
  stop(): void {
    this.#trim = null;
    // A timer would keep what its task refers to.
    this.#cancel?.();
    this.#cancel = null;
  }
}
