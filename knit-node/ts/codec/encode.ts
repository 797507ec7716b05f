/**
 * Values to bytes: the writer of the value format, version 1.
 *
 * Guarantees: one pass over the value, each property read once; identity and cycles kept; whatever it cannot carry is refused with its
 * path. When it refuses, bytes past `at` are garbage and nothing else has changed.
 * Does not guarantee: synchronisation (publication is the caller's), or that a value changed by its own accessors while it is read is
 * consistent.
 *
 * Accessors are user code and may call the pool again, in the middle of a message. `busy` tells the owner: it must pass another buffer
 * then; this class switches to a second encoder by itself.
 *
 * Layout while writing, in slots from `at`: head | value slots | text. The strings are collected and written at the end. `owed` counts the
 * slots that the containers around still have to write, so that room is made once per container and not once per slot.
 */
import { KnitError } from "../api/errors.ts";
import { KIND_PLAIN, KIND_ARRAY, classify } from "./classify.ts";
import { DEFAULT_LIMITS, HEAD_REFS, HI_ARRAY, HI_ARRAY_NUMBERS, HI_BIGINT64, HI_DATE, HI_FALSE, HI_HEAD } from "./format.ts";
import { HI_NULL, HI_OBJECT_LOCAL, HI_OBJECT_NEW, HI_OBJECT_SHARED, HI_REF, HI_STRING, HI_SYMBOL, HI_TRUE, HI_UNDEFINED, NAN_HI } from "./format.ts";
import { ShapeCache, prototypeIsPolluted } from "./shape-cache.ts";
import type { Shape } from "./shape-cache.ts";
import { putBigInt, putHoley, putStringBlock } from "./encode-rare.ts";
import { putExotic } from "./encode-exotic.ts";
import { encoding, writeText } from "./text.ts";
import { explain, tooDeep, tooLarge } from "./refuse.ts";
import type { ByteBuffer } from "./buffer.ts";
import type { BlockWriter, CodecHooks, SharedMemoryHook } from "./hooks.ts";
import type { Limits } from "./format.ts";
import type { ShapeWriter } from "./shapes.ts";

/** Objects of a message up to this many are searched one by one, the others in a map. */
const LINEAR = 96;
/** Items of an array for which room is made at once. */
const CHUNK = 4096;
/** Root strings up to this length are written by a loop. */
const SHORT = 24;

const getPrototypeOf = Object.getPrototypeOf;
const hasOwn = Object.hasOwn;
const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const datePrototype = Date.prototype;
const getTime = Date.prototype.getTime;

/** Thrown where a value is refused; `encode` then looks for its path. */
export const REFUSED = new KnitError("KNT_ERROR_3", "refused");

export interface EncoderOptions extends CodecHooks<BlockWriter> {
  /** Name of the root in error messages: `arg` or `result`. */
  readonly root?: string;
}

export class Encoder {
  /** Whether a message is being written; then a call from user code needs another buffer. */
  busy = false;
  // The rest is for the codec's own files: state of the message being written.
  out!: ByteBuffer;
  i32!: Int32Array;
  f64!: Float64Array;
  /** Slots in the buffer. */
  room = 0;
  /** First slot of the message. */
  head = 0;
  owed = 0;
  depth = 0;
  strings: string[] = [];
  stringCount = 0;
  units = 0;
  /** Numbered objects, in the order of their numbers. */
  objects: (object | null)[] = [];
  objectCount = 0;
  index: Map<object, number> | null = null;
  headBits = 0;
  /** Bytes of the value that are in blocks. */
  outside = 0;
  locals = 0;
  readonly limits: Limits;
  readonly blocks: BlockWriter | null;
  readonly shared: SharedMemoryHook | null;
  readonly blockUnits: number;
  readonly #cache: ShapeCache;
  readonly #root: string;
  readonly #options: EncoderOptions;
  readonly #table: ShapeWriter | null;
  #last: Shape;
  #stamp = 0;
  #polluted = false;
  #second: Encoder | null = null;

  constructor(shapes: ShapeWriter | null, limits: Limits = DEFAULT_LIMITS, options: EncoderOptions = {}, cache?: ShapeCache) {
    this.limits = limits;
    this.blocks = options.blocks ?? null;
    this.shared = options.shared ?? null;
    this.blockUnits = this.blocks === null ? 0x7fff_ffff : this.blocks.minBytes;
    this.#options = options;
    this.#table = shapes;
    this.#root = options.root ?? "arg";
    this.#cache = cache ?? new ShapeCache(shapes, options.compile ?? true);
    this.#last = this.#cache.start();
  }

  /** Writes one message at byte `at` (a multiple of 8) of `out`, growing it if needed; returns its end. Not padded. */
  encode(value: unknown, out: ByteBuffer, at: number): number {
    if (out.byteLength < at + 24) out.grow(at + 24);
    const slot = at >>> 3;
    let hi: number;
    switch (typeof value) {
      case "number":
        if (value === value) {
          out.f64[slot] = value;
          return at + 8;
        }
        hi = NAN_HI;
        break;
      case "undefined":
        hi = HI_UNDEFINED;
        break;
      case "boolean":
        hi = value ? HI_TRUE : HI_FALSE;
        break;
      case "string": {
        const end = value.length <= SHORT ? this.#encodeShort(value, out, at) : -1;
        return end >= 0 ? end : this.#encodeTree(value, out, at);
      }
      case "object":
        if (value === null) {
          hi = HI_NULL;
          break;
        }
        // An array is not asked for its prototype here: that is what costs most in a small message.
        if (!Array.isArray(value) && getPrototypeOf(value) === datePrototype) return this.#encodeScalar(value, out, at);
        return this.#encodeTree(value, out, at);
      case "bigint":
        return this.#encodeScalar(value, out, at);
      default:
        return this.#encodeTree(value, out, at);
    }
    const i32 = out.i32;
    i32[slot * 2] = 0;
    i32[slot * 2 + 1] = hi;
    return at + 8;
  }

  /** A root string of a few ASCII units; -1 if it is none. */
  #encodeShort(value: string, out: ByteBuffer, at: number): number {
    const length = value.length;
    if (out.byteLength < at + 16 + length) out.grow(at + 16 + length);
    const i32 = out.i32;
    const word = at >>> 2;
    i32[word] = 16;
    i32[word + 1] = HI_HEAD;
    i32[word + 2] = length;
    i32[word + 3] = HI_STRING;
    const u8 = out.u8;
    const start = at + 16;
    let seen = 0;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      seen |= unit;
      u8[start + i] = unit;
    }
    return seen < 0x80 ? start + length : -1;
  }

  /** A root that has no head: a bigint or a date. */
  #encodeScalar(value: object | bigint, out: ByteBuffer, at: number): number {
    if (this.busy) return this.#other().#encodeScalar(value, out, at);
    this.#start(out, at >>> 3);
    let end: number;
    try {
      end = this.putRest(value, at >>> 3) * 8;
    } catch (error) {
      throw this.#refusal(error, value);
    } finally {
      this.#finish();
    }
    this.checkBytes(end - at, value);
    return end;
  }

  #encodeTree(value: unknown, out: ByteBuffer, at: number): number {
    if (this.busy) return this.#other().#encodeTree(value, out, at);
    this.#start(out, at >>> 3);
    try {
      const head = at >>> 3;
      const textAt = this.put(value, head + 1) * 8;
      this.checkBytes(textAt - at + this.units, value);
      const end = writeText(out, textAt, this.strings, this.stringCount, this.units);
      this.checkBytes(end - at, value);
      out.i32[head * 2] = textAt - at;
      out.i32[head * 2 + 1] = HI_HEAD + encoding + this.headBits;
      return end;
    } catch (error) {
      throw this.#refusal(error, value);
    } finally {
      this.#finish();
    }
  }

  #start(out: ByteBuffer, head: number): void {
    this.busy = true;
    this.out = out;
    this.head = head;
    this.i32 = out.i32;
    this.f64 = out.f64;
    this.room = out.byteLength >>> 3;
    this.owed = 0;
    this.depth = 0;
    this.headBits = 0;
    this.outside = 0;
    this.locals = 0;
    this.#stamp = this.#cache.nextStamp();
    this.#polluted = prototypeIsPolluted();
  }

  /** Forgets the value, so that nothing of it stays alive. */
  #finish(): void {
    for (let i = 0; i < this.stringCount; i++) this.strings[i] = "";
    for (let i = 0; i < this.objectCount; i++) this.objects[i] = null;
    if (this.stringCount > 4096) this.strings = [];
    if (this.objectCount > 4096) this.objects = [];
    this.stringCount = 0;
    this.units = 0;
    this.objectCount = 0;
    this.index = null;
    this.busy = false;
  }

  #refusal(error: unknown, value: unknown): unknown {
    this.blocks?.discard();
    if (error === REFUSED) return explain(value, this.#root, this.shared);
    if (error instanceof RangeError && this.depth > 100 && !(error instanceof KnitError)) return tooDeep(this.#root, this.depth);
    return error;
  }

  #other(): Encoder {
    this.#second ??= new Encoder(this.#table, this.limits, this.#options, this.#cache);
    return this.#second;
  }

  /** Makes room for slots up to `slot`. */
  reserve(slot: number): void {
    if (slot > this.room) this.#grow(slot);
  }

  #grow(slot: number): void {
    const out = this.out;
    this.checkBytes((slot - this.owed - this.head) * 8, null);
    out.grow(slot * 8);
    this.i32 = out.i32;
    this.f64 = out.f64;
    this.room = out.byteLength >>> 3;
  }

  /** Fails if a value of `bytes` in the message, beside what is in blocks, is over the limit. */
  checkBytes(bytes: number, value: unknown): void {
    const all = bytes + this.outside;
    if (all > this.limits.maxBytes) throw tooLarge(this.#root, all, this.limits.maxBytes, value);
  }

  /** Writes `value` from slot `p`, where one slot is free; returns the slot after it. */
  put(value: unknown, p: number): number {
    if (typeof value === "number" && value === value) {
      this.f64[p] = value;
      return p + 1;
    }
    if (typeof value === "string" && value.length < this.blockUnits) {
      this.strings[this.stringCount++] = value;
      this.units += value.length;
      this.i32[p * 2] = value.length;
      this.i32[p * 2 + 1] = HI_STRING;
      return p + 1;
    }
    return this.putRest(value, p);
  }

  putRest(value: unknown, p: number): number {
    switch (typeof value) {
      case "object":
        return value === null ? this.slot(HI_NULL, 0, p) : this.putObject(value, p);
      case "boolean":
        return this.slot(value ? HI_TRUE : HI_FALSE, 0, p);
      case "undefined":
        return this.slot(HI_UNDEFINED, 0, p);
      case "number":
        return this.slot(NAN_HI, 0, p);
      case "bigint": {
        this.reserve(p + 2 + this.owed);
        const big64 = this.out.big64;
        big64[p + 1] = value;
        if (big64[p + 1] !== value) return putBigInt(this, value, p);
        this.slot(HI_BIGINT64, 0, p);
        return p + 2;
      }
      case "string":
        return putStringBlock(this, value, p);
      case "symbol": {
        const key = Symbol.keyFor(value);
        if (key === undefined) throw REFUSED;
        this.reserve(p + 2 + this.owed);
        return this.text(key, this.slot(HI_SYMBOL, 0, p));
      }
      default:
        throw REFUSED;
    }
  }

  slot(hi: number, lo: number, p: number): number {
    this.i32[p * 2] = lo;
    this.i32[p * 2 + 1] = hi;
    return p + 1;
  }

  /** A string that must travel in the message's text. */
  text(value: string, p: number): number {
    this.strings[this.stringCount++] = value;
    this.units += value.length;
    this.i32[p * 2] = value.length;
    this.i32[p * 2 + 1] = HI_STRING;
    return p + 1;
  }

  putObject(value: object, p: number): number {
    const prototype: object | null = getPrototypeOf(value);
    if (prototype === objectPrototype) return this.putPlain(value, 0, p);
    if (prototype === arrayPrototype && Array.isArray(value)) return this.putArray(value, p);
    if (prototype === datePrototype) return this.putDate(value as Date, p);
    if (prototype === null) return this.putPlain(value, 1, p);
    const kind = classify(value, prototype);
    if (kind === KIND_PLAIN) return this.putPlain(value, 0, p);
    if (kind === KIND_ARRAY) return this.putArray(value as unknown[], p);
    return putExotic(this, value, kind, p);
  }

  putDate(value: Date, p: number): number {
    const known = this.number(value);
    if (known >= 0) return this.putRef(known, p);
    let time: number;
    try {
      time = getTime.call(value);
    } catch {
      throw REFUSED;
    }
    this.reserve(p + 2 + this.owed);
    this.slot(HI_DATE, 0, p);
    return this.putDouble(time, p + 1);
  }

  putDouble(value: number, p: number): number {
    if (value !== value) return this.slot(NAN_HI, 0, p);
    this.f64[p] = value;
    return p + 1;
  }

  /** The number of an object that this message has already; -1 for a new one, which gets the next number. */
  number(value: object): number {
    const objects = this.objects;
    const count = this.objectCount;
    if (count < LINEAR) {
      for (let i = 0; i < count; i++) if (objects[i] === value) return i;
      objects[count] = value;
      this.objectCount = count + 1;
      return -1;
    }
    return this.#numberInMap(value);
  }

  #numberInMap(value: object): number {
    const objects = this.objects;
    let index = this.index;
    if (index === null) {
      index = this.index = new Map();
      for (let i = 0; i < this.objectCount; i++) {
        const object = objects[i];
        if (object !== null) index.set(object, i);
      }
    }
    const known = index.get(value);
    if (known !== undefined) return known;
    index.set(value, this.objectCount);
    objects[this.objectCount++] = value;
    return -1;
  }

  putRef(number: number, p: number): number {
    this.headBits |= HEAD_REFS;
    return this.slot(HI_REF, number, p);
  }

  /** Enters a container that writes `slots` slots from `p`. */
  enter(slots: number, p: number): void {
    this.deeper();
    this.owed += slots;
    this.reserve(p + this.owed);
  }

  deeper(): void {
    if (++this.depth > this.limits.maxDepth) throw tooDeep(this.#root, this.limits.maxDepth);
  }

  leave(slots: number): void {
    this.depth--;
    this.owed -= slots;
  }

  putPlain(value: object, aux: number, p: number): number {
    const known = this.number(value);
    if (known >= 0) return this.putRef(known, p);
    const shape = this.#cache.find(value, this.#last, this.#polluted);
    if (shape === null) return this.putUncached(value as Record<string, unknown>, Object.keys(value), aux, p);
    this.#last = shape;
    if (!shape.settled) this.#cache.used(shape, this.#stamp);
    return this.#putShape(value, shape, aux, p);
  }

  #putShape(value: object, shape: Shape, aux: number, p: number): number {
    const n = shape.keys.length;
    if (shape.shared >= 0) {
      this.enter(n + 1, p);
      p = this.slot(HI_OBJECT_SHARED + aux, shape.shared, p);
    } else if (shape.stamp === this.#stamp) {
      this.enter(n + 1, p);
      p = this.slot(HI_OBJECT_LOCAL + aux, shape.local, p);
    } else {
      this.enter(2 * n + 1, p);
      this.owed -= n;
      shape.stamp = this.#stamp;
      shape.local = this.locals++;
      p = this.slot(HI_OBJECT_NEW + aux, n, p);
      for (let i = 0; i < n; i++) p = this.text(shape.keys[i], p);
    }
    p = shape.write(this, value as Record<string, unknown>, p);
    this.leave(n + 1);
    return p;
  }

  /** An object whose shape is written out, and not remembered. */
  putUncached(value: Record<string, unknown>, keys: readonly string[], aux: number, p: number): number {
    const n = keys.length;
    if (n > 65_535) throw REFUSED;
    this.enter(2 * n + 1, p);
    this.locals++;
    p = this.slot(HI_OBJECT_NEW + aux, n, p);
    for (let i = 0; i < n; i++) p = this.text(keys[i], p);
    for (let i = 0; i < n; i++) p = this.put(value[keys[i]], p);
    this.leave(2 * n + 1);
    return p;
  }

  /** Numbers first: an array of numbers is the same slots as an array of values, under another tag. */
  putArray(value: readonly unknown[], p: number): number {
    const known = this.number(value);
    if (known >= 0) return this.putRef(known, p);
    const n = value.length;
    const head = p++;
    this.reserve(p + this.owed);
    let i = 0;
    const first = n > 0 ? value[0] : undefined;
    const integers = typeof first === "number" && (first | 0) === first;
    let onlyNumbers = typeof first === "number";
    if (!onlyNumbers) this.deeper();
    // In chunks, because a sparse array says a length that it does not have.
    while (i < n) {
      const chunk = n - i < CHUNK ? n - i : CHUNK;
      const end = i + chunk;
      this.owed += chunk;
      this.reserve(p + this.owed);
      if (onlyNumbers) {
        const numbers = integers ? this.#putIntegers(value, i, end, p) : this.#putFractions(value, i, end, p);
        p += numbers;
        i += numbers;
        onlyNumbers = i === end;
        if (!onlyNumbers) this.deeper();
      }
      for (; i < end; i++) {
        const item = value[i];
        if (item === undefined && !hasOwn(value, i)) {
          this.owed -= chunk;
          return putHoley(this, value, i, head, p);
        }
        p = this.put(item, p);
      }
      this.owed -= chunk;
    }
    if (onlyNumbers) {
      this.slot(HI_ARRAY_NUMBERS, n, head);
    } else {
      this.slot(HI_ARRAY, n, head);
      this.depth--;
    }
    return p;
  }

  /**
   * Writes the numbers from index `i` up to the first item that is none; returns how many. There are two of these, alike, because engines
   * store arrays of integers and of fractions differently, and a call site that has seen few kinds of arrays is several times faster.
   */
  #putIntegers(value: readonly unknown[], i: number, end: number, p: number): number {
    const f64 = this.f64;
    const start = p;
    let sum = 0;
    for (; i < end; i++, p++) {
      const item = value[i];
      if (typeof item !== "number") break;
      f64[p] = item;
      sum += item;
    }
    if (sum !== sum) this.#canonicalise(start, p);
    return p - start;
  }

  /** Gives every NaN its canonical bits. A sum is NaN if a summand is: the loops above test only that. */
  #canonicalise(from: number, to: number): void {
    for (let p = from; p < to; p++) if (this.f64[p] !== this.f64[p]) this.slot(NAN_HI, 0, p);
  }

  #putFractions(value: readonly unknown[], i: number, end: number, p: number): number {
    const f64 = this.f64;
    const start = p;
    let sum = 0;
    for (; i < end; i++, p++) {
      const item = value[i];
      if (typeof item !== "number") break;
      f64[p] = item;
      sum += item;
    }
    if (sum !== sum) this.#canonicalise(start, p);
    return p - start;
  }
}
