/**
 * Which shape an object has, found without allocating in the usual case.
 *
 * Objects of one kind come in the same order again and again, so each shape remembers the few shapes that were met after it. A guess is
 * verified by `for in`, which walks the engine's cached key list. When no guess fits, the keys are looked up in a tree.
 *
 * The cache is bounded: objects used as dictionaries would otherwise fill it. When it is full, everything that is not in the shared
 * table is forgotten.
 */
import { Kind } from "./numbers.ts";
import { compileFlat, compileWriter, loopWriter } from "./compile.ts";
import type { FlatWriter, ShapeValuesWriter } from "./compile.ts";
import type { ShapeWriter } from "./shapes.ts";

/** Keys that the tree may hold, before it is emptied. */
const MAX_TREE_KEYS = 32_768;
/** An object with more keys is a dictionary: its shape is not remembered. */
export const MAX_CACHED_KEYS = 512;
/** Uses after which code is generated for a shape. */
const COMPILE_AFTER = 24;
/** Guesses kept per shape. */
const GUESSES = 4;

export class Shape {
  readonly keys: readonly string[];
  /** Number in the shared table, or -1. */
  shared = -1;
  /** Whether the shared table was tried already. */
  tried = false;
  /** Whether everything that is worth doing for a shape that is used often was done. */
  settled = false;
  /** Objects of this shape in the current message. */
  readonly met = new Kind();
  /** Message that defined `local`. */
  stamp = 0;
  local = 0;
  uses = 0;
  write: ShapeValuesWriter;
  /** Writes an object of this shape that is a message by itself; null if there is no such code, or it was of no use. */
  flat: FlatWriter | null = null;
  /** Shapes met right after this one, the latest first. */
  readonly guesses: Shape[] = [];

  constructor(keys: readonly string[]) {
    this.keys = keys;
    this.write = loopWriter(keys);
  }

  guess(next: Shape): void {
    const guesses = this.guesses;
    const at = guesses.indexOf(next);
    if (at === 0) return;
    if (at > 0) guesses.splice(at, 1);
    else if (guesses.length === GUESSES) guesses.pop();
    guesses.unshift(next);
  }
}

interface Node {
  shape: Shape | null;
  next: Map<string, Node> | null;
}

const PLAIN = {};

/** Whether someone gave `Object.prototype` an enumerable property: `for in` would show it as if it were the object's own. */
export function prototypeIsPolluted(): boolean {
  for (const _ in PLAIN) return true;
  return false;
}

/** Whether `for in` over `o` gives exactly `keys`. */
function hasKeys(o: object, keys: readonly string[]): boolean {
  let i = 0;
  for (const key in o) {
    if (key !== keys[i]) return false;
    i++;
  }
  return i === keys.length;
}

export class ShapeCache {
  readonly #table: ShapeWriter | null;
  readonly #compile: boolean;
  #root: Node = { shape: null, next: null };
  #held = 0;
  #stamp = 0;
  /** Comes before the root of every message. */
  readonly roots: Shape = new Shape([]);

  constructor(table: ShapeWriter | null, compile: boolean) {
    this.#table = table;
    this.#compile = compile;
  }

  /** The first shape of the first message has no predecessor. */
  start(): Shape {
    return new Shape([]);
  }

  /** A number that no other message has. */
  nextStamp(): number {
    return ++this.#stamp;
  }

  /** The shape of `o`, which came after an object of shape `last`; null if its keys are too many to remember. */
  find(o: object, last: Shape, polluted: boolean): Shape | null {
    const guesses = last.guesses;
    if (!polluted) {
      for (let i = 0; i < guesses.length; i++) {
        const shape = guesses[i]!;
        if (hasKeys(o, shape.keys)) return shape;
      }
    }
    const keys = Object.keys(o);
    if (keys.length > MAX_CACHED_KEYS) return null;
    const shape = this.#lookUp(keys);
    last.guess(shape);
    return shape;
  }

  /** Counts a use, and does what is worth doing for a shape that is used often. Called until the shape is settled. */
  used(shape: Shape, stamp: number): void {
    shape.uses++;
    if (!shape.tried && (this.#table === null || (shape.stamp !== 0 && shape.stamp !== stamp))) {
      shape.tried = true;
      if (this.#table !== null) shape.shared = this.#table.add(shape.keys);
    }
    if (shape.uses < COMPILE_AFTER) return;
    if (shape.uses === COMPILE_AFTER && this.#compile) shape.write = compileWriter(shape.keys) ?? shape.write;
    shape.settled = shape.tried;
    if (shape.settled && shape.shared >= 0 && this.#compile) shape.flat = compileFlat(shape);
  }

  #lookUp(keys: readonly string[]): Shape {
    let node = this.#root;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      node.next ??= new Map();
      let next = node.next.get(key);
      if (next === undefined) {
        next = { shape: null, next: null };
        node.next.set(key, next);
        this.#held++;
      }
      node = next;
    }
    if (node.shape === null) {
      node.shape = new Shape(keys);
      if (this.#held > MAX_TREE_KEYS) this.#forget(node.shape);
    }
    return node.shape;
  }

  #forget(keep: Shape): void {
    const shared: Shape[] = [];
    const visit = (node: Node): void => {
      if (node.shape !== null) {
        node.shape.guesses.length = 0;
        if (node.shape.shared >= 0) shared.push(node.shape);
      }
      node.next?.forEach(visit);
    };
    visit(this.#root);
    this.roots.guesses.length = 0;
    this.#root = { shape: null, next: null };
    this.#held = 0;
    for (const shape of shared) this.#insert(shape);
    if (keep.shared < 0) this.#insert(keep);
  }

  #insert(shape: Shape): void {
    let node = this.#root;
    for (const key of shape.keys) {
      node.next ??= new Map();
      let next = node.next.get(key);
      if (next === undefined) {
        next = { shape: null, next: null };
        node.next.set(key, next);
        this.#held++;
      }
      node = next;
    }
    node.shape = shape;
  }
}
