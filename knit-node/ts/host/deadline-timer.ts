/**
 * The one timer of all deadlines of a pool: armed for the earliest. The engine keeps the deadlines themselves.
 *
 * It keeps no process alive: the calls do.
 */
import { inAWhile } from "../runtime/timer.ts";

export class DeadlineTimer {
  readonly #onTime: () => void;
  /** When it fires, on the clock of `performance`. */
  #at = Infinity;
  #cancel: (() => void) | null = null;

  constructor(onTime: () => void) {
    this.#onTime = onTime;
  }

  /** Sees that it fires in `ms`, or before. */
  within(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.#at) return;
    this.stop();
    this.#at = at;
    this.#cancel = inAWhile(ms, () => {
      this.#cancel = null;
      this.#at = Infinity;
      this.#onTime();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#at = Infinity;
  }
}
