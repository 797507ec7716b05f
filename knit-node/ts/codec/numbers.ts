/**
 * Which objects a message has already, and under which number.
 *
 * An object can only be one of its own kind: of the same shape, or another array. So objects are listed by kind, and a short list is
 * searched one by one; that costs a few ns, where a map costs tens. A message with a long list gets a map.
 */

/** Items of a list that are searched one by one. */
const LINEAR = 48;
/** Lists longer than this are given back after the message. */
const KEPT = 1024;

/** The objects of one kind in the current message. */
export class Kind {
  objects: (object | null)[] = [];
  numbers: number[] = [];
  count = 0;

  clear(): void {
    if (this.count > KEPT) {
      this.objects = [];
      this.numbers = [];
    }
    const objects = this.objects;
    for (let i = Math.min(this.count, objects.length) - 1; i >= 0; i--) objects[i] = null;
    this.count = 0;
  }
}

export class Numbers {
  count = 0;
  /** Kinds that have objects. */
  readonly #kinds: Kind[] = [];
  #index: Map<object, number> | null = null;

  /** The number of `value` if the message has it; else -1, and it gets the next number. */
  number(value: object, kind: Kind): number {
    const count = kind.count;
    if (count > LINEAR || this.#index !== null) return this.#numberInMap(value);
    const objects = kind.objects;
    for (let i = 0; i < count; i++) if (objects[i] === value) return kind.numbers[i];
    if (count === 0) this.#kinds.push(kind);
    objects[count] = value;
    kind.numbers[count] = this.count++;
    kind.count = count + 1;
    return -1;
  }

  /** Forgets all objects. */
  clear(): void {
    const kinds = this.#kinds;
    for (let kind = kinds.pop(); kind !== undefined; kind = kinds.pop()) kind.clear();
    this.count = 0;
    this.#index = null;
  }

  #numberInMap(value: object): number {
    let index = this.#index;
    if (index === null) {
      index = this.#index = new Map();
      for (const { objects, numbers, count } of this.#kinds) for (let i = 0; i < count; i++) index.set(objects[i]!, numbers[i]);
    }
    const known = index.get(value);
    if (known !== undefined) return known;
    index.set(value, this.count++);
    return -1;
  }
}
