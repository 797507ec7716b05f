/**
 * Whether the event loop has waited long enough for its turn.
 *
 * Microtasks starve it. How long they have gone on is known from a mark that is left in the loop: since no clock tells whether it has turned, a program may work for a
 * long time between two calls.
 */

/** Microseconds after which microtasks make room for the event loop. */
const BURST = 1000;
/** Of these, so many pass before a mark is left. Most calls are answered by then, and a mark is dear where a loop has slept (50 us on Deno). */
const UNMARKED = BURST / 4;

export class LoopWatch {
  /** The next turn should come from the event loop. */
  isDue = false;
  readonly #later: (task: () => void) => void;
  #burstStart = -1;
  #marked = false;
  /** No turn has ended since the loop turned. */
  #fresh = true;

  constructor(later: (task: () => void) => void) {
    this.#later = later;
  }

  /** A turn has ended at that time, in microseconds. */
  look(clock: number): void {
    this.#fresh = false;
    if (this.#burstStart === -1) this.#burstStart = clock;
    const lasted = (clock - this.#burstStart) | 0;
    if (this.#marked) {
      this.isDue = lasted >= BURST;
    } else if (lasted >= UNMARKED) {
      // Nobody knows whether the loop has turned since: so long a burst begins anew.
      this.#marked = true;
      this.#burstStart = clock;
      this.#later(this.#onMark);
    }
  }

  /** The same for a turn that leaves no call open: straight from the loop it begins no burst, for the next call may come any time later. */
  rest(clock: number): void {
    if (this.#fresh) this.#fresh = false;
    else this.look(clock);
  }

  /** The event loop has turned. */
  turned(): void {
    this.#fresh = true;
    this.#burstStart = -1;
    this.isDue = false;
  }

  readonly #onMark = (): void => {
    this.#marked = false;
    this.turned();
  };
}
