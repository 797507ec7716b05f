/**
 * Whether the event loop has waited long enough for its turn.
 *
 * Microtasks starve it. How long they have gone on is known from a mark that is left in the loop: since no clock tells whether it has turned, a program may work for a
 * long time between two calls.
 */

/** Microseconds after which microtasks make room for the event loop. */
const BURST = 1000;

export class LoopWatch {
  /** The next turn should come from the event loop. */
  isDue = false;
  readonly #later: (task: () => void) => void;
  #burstStart = -1;
  #marked = false;

  constructor(later: (task: () => void) => void) {
    this.#later = later;
  }

  /** A turn has ended at that time, in microseconds. */
  look(clock: number): void {
    if (this.#burstStart === -1) this.#burstStart = clock;
    if (!this.#marked) {
      this.#marked = true;
      this.#later(this.#onMark);
    }
    this.isDue = ((clock - this.#burstStart) | 0) >= BURST;
  }

  /** The event loop has turned. */
  turned(): void {
    this.#burstStart = -1;
    this.isDue = false;
  }

  readonly #onMark = (): void => {
    this.#marked = false;
    this.turned();
  };
}
