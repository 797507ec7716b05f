/**
 * Shape tables: the keys of objects, written once by their sender and read by everyone.
 *
 *     word 0      words used by entries (not counting this one)
 *     entry       keys n | bytes of text b | n lengths in UTF-16 units | text, zero-padded to whole words
 *
 * Only one side writes. An entry is complete before word 0 covers it, and before any message names it. The reader treats the table as
 * input: every length is read once and checked against the area.
 */
import { CodecError } from "./errors.ts";
import { MAX_SHAPE_KEYS } from "./format.ts";
import { isWellFormed } from "./text.ts";
import { compileFactory, MAX_COMPILED_KEYS } from "./compile.ts";
import type { ShapeFactory } from "./compile.ts";

/** Shapes with more keys stay out of the table: most are dictionaries. */
const MAX_SHARED_KEYS = 256;
/** No entry takes more than this part of the area. */
const ENTRY_SHARE = 8;
/** Uses after which code is generated for a shape. */
const COMPILE_AFTER = 8;

const utf8 = new TextEncoder();
const utf8Reader = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class ShapeWriter {
  readonly #words: Int32Array | Uint32Array;
  readonly #owns: (() => boolean) | null;
  #used: number;
  #count = 0;

  /** `words`: the area, all of it this writer's, zeroed. `owns` is asked whether it still is, before anything is written there. */
  constructor(words: Int32Array | Uint32Array, owns: (() => boolean) | null = null) {
    this.#words = words;
    this.#owns = owns;
    this.#used = 0;
  }

  /** Shapes in the table. */
  get count(): number {
    return this.#count;
  }

  /** Appends a shape and returns its number, or -1 if it does not go into a table. */
  add(keys: readonly string[]): number {
    const n = keys.length;
    if (n > MAX_SHARED_KEYS || this.#owns?.() === false) return -1;
    let joined = "";
    for (const key of keys) {
      if (!isWellFormed(key)) return -1;
      joined += key;
    }
    const text = utf8.encode(joined);
    const textWords = (text.length + 3) >>> 2;
    const size = 2 + n + textWords;
    const words = this.#words;
    if (size > words.length / ENTRY_SHARE || 1 + this.#used + size > words.length) return -1;
    let at = 1 + this.#used;
    words[at++] = n;
    words[at++] = text.length;
    for (const key of keys) words[at++] = key.length;
    const bytes = new Uint8Array(words.buffer as ArrayBuffer, words.byteOffset + at * 4, textWords * 4);
    bytes.fill(0);
    bytes.set(text);
    this.#used += size;
    Atomics.store(words, 0, this.#used);
    return this.#count++;
  }
}

/** How objects of one shape are made. */
export class ReadShape {
  readonly keys: readonly string[];
  /** For each key: whether it must be defined, because assigning would meet something inherited. */
  readonly define: readonly boolean[];
  #uses = 0;
  factory: ShapeFactory | null = null;

  constructor(keys: readonly string[]) {
    this.keys = keys;
    this.define = keys.map((key) => key in Object.prototype);
  }

  /** Counts a use, by which `object` came; makes the factory when it is worth it. */
  use(object: object, compile: boolean): void {
    if (++this.#uses !== COMPILE_AFTER || !compile || this.keys.length > MAX_COMPILED_KEYS) return;
    this.factory = compileFactory(this.keys, object as Record<string, unknown>);
  }
}

/** Fails unless `keys` can be the keys of a shape. */
export function checkKeys(keys: readonly string[]): void {
  if (new Set(keys).size !== keys.length) throw new CodecError("BadOperand", "a shape names a key twice");
}

export class ShapeReader {
  readonly #words: Int32Array | Uint32Array;
  readonly #shapes: ReadShape[] = [];
  /** Next word to parse. */
  #at = 1;

  constructor(words: Int32Array | Uint32Array) {
    this.#words = words;
  }

  /** The shape of that number, or undefined if the table has none. */
  get(number: number): ReadShape | undefined {
    const known = this.#shapes[number];
    return known !== undefined ? known : this.#parseUpTo(number);
  }

  /** What makes objects of a shape that came often; null for any other number. */
  factory(number: number): ShapeFactory | null {
    const known = this.#shapes[number];
    return known !== undefined ? known.factory : null;
  }

  #parseUpTo(number: number): ReadShape | undefined {
    const end = 1 + (Atomics.load(this.#words, 0) >>> 0);
    if (end > this.#words.length) throw new CodecError("BadOperand", "a shape table says that it is larger than its area");
    while (this.#shapes.length <= number && this.#at < end) this.#parse(end);
    return this.#shapes[number];
  }

  #parse(end: number): void {
    const words = this.#words;
    let at = this.#at;
    if (end - at < 2) throw new CodecError("Truncated", "a shape table ends inside an entry");
    const n = words[at++]! >>> 0;
    const bytes = words[at++]! >>> 0;
    const textWords = Math.ceil(bytes / 4);
    if (n > MAX_SHAPE_KEYS) throw new CodecError("BadOperand", "a shape has too many keys");
    if (n + textWords > end - at) throw new CodecError("Truncated", "a shape table ends inside an entry");
    const lengths: number[] = [];
    for (let i = 0; i < n; i++) lengths.push(words[at++]! >>> 0);
    // A copy: the text decoder refuses shared memory, and what is checked must not change under it.
    const copy = new Uint8Array(words.buffer as ArrayBuffer, words.byteOffset + at * 4, bytes).slice();
    let text: string;
    try {
      text = utf8Reader.decode(copy);
    } catch {
      throw new CodecError("BadText", "the keys of a shape are not UTF-8");
    }
    const keys: string[] = [];
    let from = 0;
    for (const length of lengths) {
      if (length > text.length - from) throw new CodecError("Truncated", "the keys of a shape are longer than their text");
      const key = text.substring(from, from + length);
      if (!isWellFormed(key)) throw new CodecError("BadText", "a key ends inside a surrogate pair");
      keys.push(key);
      from += length;
    }
    if (from !== text.length) throw new CodecError("TrailingBytes", "the keys of a shape do not use up their text");
    checkKeys(keys);
    this.#shapes.push(new ReadShape(keys));
    this.#at = at + textWords;
  }
}
