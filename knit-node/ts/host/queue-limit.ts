/**
 * `maxQueue`: how many calls may wait for a worker. A call takes one of the places known to be free; only when there is none the engine is asked how many
 * calls wait, so that a call mostly costs a decrement.
 */
export class QueueLimit {
  readonly max: number;
  readonly #waiting: () => number;
  #places: number;

  /** `waiting` counts the calls that no worker has taken. */
  constructor(max: number, waiting: () => number) {
    this.max = max;
    this.#waiting = waiting;
    this.#places = max;
  }

  /** Whether one more call may wait. */
  admits(): boolean {
    if (this.#places === 0) this.#places = Math.max(0, this.max - this.#waiting());
    if (this.#places === 0) return false;
    this.#places--;
    return true;
  }
}
