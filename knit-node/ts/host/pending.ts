/**
 * Calls that wait for their answers, by number.
 *
 * Numbers are used again, so each has a generation that goes up when its call is settled: an answer that comes late names an old
 * generation and is not believed. Nothing is allocated per call but the promise, and one function of it
 * is kept: a call rejects by resolving with a rejected promise, which costs the few that reject a little and all others nothing.
 *
 * A call that is *given up* (its time is over, or its caller wants it no more) is settled while a worker may still run it. Its number is used again
 * only when that is over: a worker's death names the calls that it had by their numbers.
 */

type Settle = (value: unknown) => void;

interface GivenUp {
  readonly generation: number;
  /** Hears that no worker has the call any more. */
  readonly onOver: () => void;
}

const FIRST = 256;

function noop(): void {}

export class Pending {
  /** Calls that are open. */
  open = 0;
  /** Current generation of each number. */
  generations = new Int32Array(FIRST);
  readonly #resolves: (Settle | undefined)[] = [];
  readonly #givenUp = new Map<number, GivenUp>();
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

  /** Has `hook` run before that open call is settled, however that happens. */
  beforeSettling(number: number, hook: () => void): void {
    const settle = this.#resolves[number] as Settle;
    this.#resolves[number] = (value) => {
      hook();
      settle(value);
    };
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
    if (!this.has(number, generation)) return false;
    const rejected = Promise.reject(reason);
    // Deno keeps a list of rejected promises without a handler, and takes each out of it in time that grows with the list.
    rejected.catch(noop);
    return this.resolve(number, generation, rejected);
  }

  /** A worker's answer: settles its call; if that was given up, the call is over. */
  answer(number: number, generation: number, value: unknown): void {
    if (!this.resolve(number, generation, value)) this.#late(number, generation);
  }

  /** As `answer`. */
  answerThrown(number: number, generation: number, reason: unknown): void {
    if (!this.reject(number, generation, reason)) this.#late(number, generation);
  }

  /** Settles an open call that a worker may still run, and keeps its number until `onOver` is told that none does. */
  giveUp(number: number, generation: number, value: unknown, onOver: () => void): void {
    const resolve = this.#resolves[number];
    if (resolve === undefined || this.generations[number] !== generation) return;
    this.#resolves[number] = undefined;
    this.generations[number]++;
    this.open--;
    this.#givenUp.set(number, { generation, onOver });
    resolve(value);
  }

  /** Calls that were given up, and that workers may still run. */
  get abandoned(): number {
    return this.#givenUp.size;
  }

  /** Whether that call is open. */
  has(number: number, generation: number): boolean {
    return this.#resolves[number] !== undefined && this.generations[number] === generation;
  }

  /** Rejects whatever call is open under that number; no worker has it any more. */
  rejectNumber(number: number, reason: unknown): void {
    const { [number]: generation } = this.generations;
    if (!this.reject(number, generation, reason)) this.#late(number, (generation - 1) | 0);
  }

  /** Rejects every open call. */
  rejectAll(reason: unknown): void {
    for (let number = 0; number < this.#numbers; number++) this.rejectNumber(number, reason);
  }

  #late(number: number, generation: number): void {
    if (this.#givenUp.size === 0) return;
    const given = this.#givenUp.get(number);
    if (given?.generation !== generation) return;
    this.#givenUp.delete(number);
    this.#free[this.#freeCount++] = number;
    given.onOver();
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
