/**
 * Which objects a message has already, and under which number.
 *
 * An object can only be one of its own kind: the same shape, or another array. So objects are chained by kind, and a chain is searched
 * link by link while it is short; that costs a few ns, where a map costs tens. A message with a long chain gets a map.
 */

/** Links followed before a map is made. */
const LINEAR = 48;
/** Arrays longer than this are given back after the message. */
const KEPT = 4096;

export class Numbers {
  count = 0;
  #objects: (object | null)[] = [];
  /** For each number: the one before it in its chain, or -1. */
  #previous: number[] = [];
  #index: Map<object, number> | null = null;
  /** Numbers that the map has. */
  #indexed = 0;

  /** The number of `value` if it is in the chain that ends at number `last`, else -1. */
  find(value: object, last: number): number {
    if (this.#index !== null) return last < 0 ? -1 : this.#findInMap(value, this.#index);
    const objects = this.#objects;
    const previous = this.#previous;
    let steps = 0;
    for (let i = last; i >= 0; i = previous[i]) {
      if (objects[i] === value) return i;
      if (++steps > LINEAR) return this.#findInMap(value, (this.#index = new Map()));
    }
    return -1;
  }

  /** Gives `value` the next number, after `last` in its chain. */
  add(value: object, last: number): number {
    const number = this.count++;
    this.#objects[number] = value;
    this.#previous[number] = last;
    return number;
  }

  /** Forgets all objects. */
  clear(): void {
    if (this.count > KEPT) {
      this.#objects = [];
      this.#previous = [];
    }
    const objects = this.#objects;
    for (let i = Math.min(this.count, objects.length) - 1; i >= 0; i--) objects[i] = null;
    this.count = 0;
    this.#index = null;
    this.#indexed = 0;
  }

  #findInMap(value: object, index: Map<object, number>): number {
    for (; this.#indexed < this.count; this.#indexed++) index.set(this.#objects[this.#indexed]!, this.#indexed);
    return index.get(value) ?? -1;
  }
}
