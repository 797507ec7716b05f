/**
 * `worker.hardTimeoutMs` for tasks that wait: each promise that is open for too long is answered here, and its worker asks to be replaced.
 *
 * One timer, for the oldest.
 */
import { inAWhile } from "../runtime/timer.ts";

export class Overdue {
  readonly #limit: number;
  readonly #onOverdue: () => void;
  /** What ends an open task early, and when it began; oldest first. */
  readonly #open = new Map<() => void, number>();
  #armed = false;

  /** `onOverdue` hears that some task was. */
  constructor(limit: number, onOverdue: () => void) {
    this.#limit = limit;
    this.#onOverdue = onOverdue;
  }

  /** A task waits from now on; `end` answers it. */
  begin(end: () => void): void {
    this.#open.set(end, performance.now());
    if (!this.#armed) this.#arm(this.#limit);
  }

  /** It was answered. */
  end(end: () => void): void {
    this.#open.delete(end);
  }

  #arm(ms: number): void {
    this.#armed = true;
    inAWhile(ms, () => this.#look());
  }

  #look(): void {
    this.#armed = false;
    const now = performance.now();
    let any = false;
    for (const [end, begun] of this.#open) {
      const left = begun + this.#limit - now;
      if (left > 0) {
        this.#arm(Math.ceil(left));
        break;
      }
      any = true;
      this.#open.delete(end);
      end();
    }
    if (any) this.#onOverdue();
  }
}
