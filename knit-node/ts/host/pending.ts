/**
 * Calls that wait for their answers, by number.
 *
 * Numbers are used again, so each has a generation that goes up when its call is settled: an answer that comes late, from a worker
 * that was given up, names an old generation and is not believed. Nothing is allocated per call but the promise, and one function of it
 * is kept: a call rejects by resolving with a rejected promise, which costs the few that reject a little and all others nothing.
 */

type Settle = (value: unknown) => void;

const FIRST = 256;

export class Pending {
  /** Calls that are open. */
  open = 0;
  /** Current generation of each number. */
  generations = new Int32Array(FIRST);
  readonly #resolves: (Settle | undefined)[] = [];
  /** Stack of free numbers. */
  #free = new Int32Array(FIRST);
  #freeCount = 0;
  #numbers = 0;
  #taken = 0;

  // Shared by all calls: a closure for each would cost as much as the promise.
  readonly #executor = (resolve: Settle): void => {
    this.#resolves[this.#taken] = resolve;
  };

  /** Takes a number. Its promise must be made next, by `promise`. */
  take(): number {
    this.open++;
    if (this.#freeCount > 0) return (this.#taken = this.#free[--this.#freeCount]);
    if (this.#numbers === this.generations.length) this.#grow();
    return (this.#taken = this.#numbers++);
  }

  /** The promise of the number taken last. */
  promise(): Promise<unknown> {
    return new Promise(this.#executor);
  }

  /** Settles a call and frees its number. False if that call is not open. */
  resolve(number: number, generation: number, value: unknown): boolean {
    const resolve = this.#resolves[number];
    if (resolve === undefined || this.generations[number] !== generation) return false;
    this.#release(number);
    resolve(value);
    return true;
  }

  /** As `resolve`. */
  reject(number: number, generation: number, reason: unknown): boolean {
    return this.has(number, generation) && this.resolve(number, generation, Promise.reject(reason));
  }

  /** Whether that call is open. */
  has(number: number, generation: number): boolean {
    return this.#resolves[number] !== undefined && this.generations[number] === generation;
  }

  /** Rejects whatever call is open under that number. */
  rejectNumber(number: number, reason: unknown): void {
    this.reject(number, this.generations[number], reason);
  }

  /** Rejects every open call. */
  rejectAll(reason: unknown): void {
    for (let number = 0; number < this.#numbers; number++) this.rejectNumber(number, reason);
  }

  #release(number: number): void {
    this.#resolves[number] = undefined;
    this.generations[number]++;
    this.#free[this.#freeCount++] = number;
    this.open--;
  }

  #grow(): void {
    const size = this.generations.length * 2;
    const [generations, free] = [new Int32Array(size), new Int32Array(size)];
    generations.set(this.generations);
    free.set(this.#free);
    this.generations = generations;
    this.#free = free;
  }
}
