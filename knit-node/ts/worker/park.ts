/**
 * `worker.timers.parkMs`: the longest sleep of an idle worker. Without it nothing but its bell wakes a worker, and there is no timer.
 */
import { inAWhile } from "../runtime/timer.ts";

export class Park {
  readonly #ms: number;
  readonly #wake: () => void;
  #cancel: (() => void) | null = null;

  /** `ms` 0: for as long as nobody rings. */
  constructor(ms: number, wake: () => void) {
    this.#ms = ms;
    this.#wake = wake;
  }

  /** The worker goes to sleep. */
  begin(): void {
    if (this.#ms > 0) this.#cancel = inAWhile(this.#ms, this.#wake);
  }

  /** It is awake. */
  end(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
