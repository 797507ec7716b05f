/**
 * Values to slots: what the encoder writes between head and text.
 *
 * Slots are written from slot `p`, and each function returns the slot after its last. Strings are collected; the encoder writes them when
 * the slots are complete. `owed` counts the slots that the containers around still have to write, so that room is made once per container
 * and not once per slot: whoever writes one slot for a container may do so without asking.
 */
import { KIND_PLAIN, KIND_ARRAY, classify } from "./classify.ts";
import { HEAD_REFS, HI_ARRAY, HI_ARRAY_NUMBERS, HI_BIGINT64, HI_DATE, HI_FALSE, HI_NULL, HI_OBJECT_LOCAL, HI_OBJECT_NEW } from "./format.ts";
import { HI_OBJECT_SHARED, HI_REF, HI_STRING, HI_SYMBOL, HI_TRUE, HI_UNDEFINED, MAX_SHAPE_KEYS, NAN_HI } from "./format.ts";
import { Kind, Numbers } from "./numbers.ts";
import { REFUSED, TooLarge, tooDeep } from "./refuse.ts";
import { ShapeCache, prototypeIsPolluted } from "./shape-cache.ts";
import { putBigInt, putHoley, putStringBlock } from "./encode-rare.ts";
import { putExotic } from "./encode-exotic.ts";
import { putFractions, putIntegers } from "./encode-numbers.ts";
import type { BlockWriter, CodecHooks, SharedMemoryWriter } from "./hooks.ts";
import type { ByteBuffer } from "./buffer.ts";
import type { Limits } from "./format.ts";
import type { Shape } from "./shape-cache.ts";
import type { ShapeWriter } from "./shapes.ts";

/** Items of an array for which room is made at once. */
const CHUNK = 4096;
/** Arrays of strings longer than this are given back after the message. */
const KEPT = 4096;
const NOTHING: readonly unknown[] = [];

const getPrototypeOf = Object.getPrototypeOf;
const hasOwn = Object.hasOwn;
const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const datePrototype = Date.prototype;
const getTime = Date.prototype.getTime;

export interface EncoderOptions extends CodecHooks<BlockWriter, SharedMemoryWriter> {
  /** Name of the root in error messages: `arg` or `result`. */
  readonly root?: string;
}

export class Writer {
  out!: ByteBuffer;
  i32!: Int32Array;
  f64!: Float64Array;
  /** Slots in the buffer. */
  room = 0;
  /** First slot of the message. */
  head = 0;
  owed = 0;
  depth = 0;
  /** The text: its strings, how many they are, and the sum of their lengths. */
  strings: string[] = [];
  stringCount = 0;
  units = 0;
  readonly numbers: Numbers = new Numbers();
  /** Flags of the head slot. */
  headBits = 0;
  /** Bytes of the value that are in blocks. */
  outside = 0;
  /** Shapes defined in the message. */
  locals = 0;
  readonly limits: Limits;
  readonly root: string;
  readonly blocks: BlockWriter | null;
  readonly shared: SharedMemoryWriter | null;
  /** Strings from this length on are offered to a block. */
  readonly #blockUnits: number;
  readonly #cache: ShapeCache;
  #last: Shape;
  /** Shapes of objects that were a message by themselves, the latest first. */
  readonly rootShapes: readonly Shape[];
  /** What a flat writer read of an object that turned out not to be flat. */
  spilled: readonly unknown[] = [];
  readonly #arrays = new Kind();
  readonly #others = new Kind();
  #stamp = 0;
  #polluted = false;

  constructor(shapes: ShapeWriter | null, limits: Limits, options: EncoderOptions) {
    this.limits = limits;
    this.blocks = options.blocks ?? null;
    this.shared = options.shared ?? null;
    this.#blockUnits = this.blocks === null ? 0x7fff_ffff : this.blocks.minBytes;
    this.root = options.root ?? "arg";
    this.#cache = new ShapeCache(shapes, options.compile ?? true);
    this.#last = this.#cache.start();
    this.rootShapes = this.#cache.roots.guesses;
  }

  /** Begins a message at slot `head` of `out`. */
  start(out: ByteBuffer, head: number): void {
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
  finish(): void {
    if (this.stringCount > KEPT) this.strings = [];
    const strings = this.strings;
    for (let i = Math.min(this.stringCount, strings.length) - 1; i >= 0; i--) strings[i] = "";
    this.stringCount = 0;
    this.units = 0;
    this.numbers.clear();
  }

  /** Makes room for slots up to `slot`. */
  reserve(slot: number): void {
    if (slot > this.room) this.#grow(slot);
  }

  #grow(slot: number): void {
    const out = this.out;
    this.checkBytes((slot - this.owed - this.head) * 8);
    out.grow(slot * 8);
    this.i32 = out.i32;
    this.f64 = out.f64;
    this.room = out.byteLength >>> 3;
  }

  /** Fails if a value of `bytes` in the message, beside what is in blocks, is over the limit. */
  checkBytes(bytes: number): void {
    const all = bytes + this.outside;
    if (all > this.limits.maxBytes) throw new TooLarge(all, this.limits.maxBytes);
  }

  /** Writes `value` from slot `p`, where one slot is free; returns the slot after it. */
  put(value: unknown, p: number): number {
    if (typeof value === "number" && value === value) {
      this.f64[p] = value;
      return p + 1;
    }
    return typeof value === "string" ? this.string(value, p) : this.putRest(value, p);
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
        return this.string(value, p);
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

  /** A string, in the text or in a block. */
  string(value: string, p: number): number {
    return value.length < this.#blockUnits ? this.text(value, p) : putStringBlock(this, value, p);
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
    return this.putWithPrototype(value, getPrototypeOf(value) as object | null, p);
  }

  putWithPrototype(value: object, prototype: object | null, p: number): number {
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

  /** The number of an object that is neither plain nor an array and that the message has already; -1 for a new one, which gets the next. */
  number(value: object): number {
    return this.numbers.number(value, this.#others);
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
    if (++this.depth > this.limits.maxDepth) throw tooDeep(this.root, this.limits.maxDepth);
  }

  leave(slots: number): void {
    this.depth--;
    this.owed -= slots;
  }

  /** Writes the whole message's value from slot `p`. */
  putRoot(value: unknown, prototype: object | null, spilled: Shape | null, p: number): number {
    if (spilled !== null) return this.#putSpilled(value as object, spilled, p);
    if (prototype === null) return this.put(value, p);
    if (prototype !== objectPrototype) return this.putWithPrototype(value as object, prototype, p);
    this.#last = this.#cache.roots;
    return this.putPlain(value as object, 0, p);
  }

  putPlain(value: object, aux: number, p: number): number {
    const shape = this.#cache.find(value, this.#last, this.#polluted);
    if (shape === null) {
      const known = this.number(value);
      return known >= 0 ? this.putRef(known, p) : this.putUncached(value as Record<string, unknown>, Object.keys(value), aux, p);
    }
    const known = this.numbers.number(value, shape.met);
    if (known >= 0) return this.putRef(known, p);
    this.#last = shape;
    if (!shape.settled) this.#cache.used(shape, this.#stamp);
    p = this.#putShape(shape, aux, p);
    p = shape.write(this, value as Record<string, unknown>, p);
    this.leave(shape.keys.length + 1);
    return p;
  }

  /** The root, whose properties were read already. */
  #putSpilled(value: object, shape: Shape, p: number): number {
    const values = this.spilled;
    this.spilled = NOTHING;
    this.numbers.number(value, shape.met);
    this.#last = shape;
    p = this.#putShape(shape, 0, p);
    for (let i = 0; i < values.length; i++) p = this.put(values[i], p);
    this.leave(values.length + 1);
    return p;
  }

  /** Enters an object: its tag, and its keys if nobody knows them yet. */
  #putShape(shape: Shape, aux: number, p: number): number {
    const n = shape.keys.length;
    if (shape.shared >= 0) {
      this.enter(n + 1, p);
      return this.slot(HI_OBJECT_SHARED + aux, shape.shared, p);
    }
    if (shape.stamp === this.#stamp) {
      this.enter(n + 1, p);
      return this.slot(HI_OBJECT_LOCAL + aux, shape.local, p);
    }
    this.enter(2 * n + 1, p);
    this.owed -= n;
    shape.stamp = this.#stamp;
    shape.local = this.locals++;
    p = this.slot(HI_OBJECT_NEW + aux, n, p);
    for (let i = 0; i < n; i++) p = this.text(shape.keys[i], p);
    return p;
  }

  /** An object whose shape is written out, and not remembered. */
  putUncached(value: Record<string, unknown>, keys: readonly string[], aux: number, p: number): number {
    const n = keys.length;
    if (n > MAX_SHAPE_KEYS) throw REFUSED;
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
    const known = this.numbers.number(value, this.#arrays);
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
        const numbers = integers ? putIntegers(this.f64, value, i, end, p) : putFractions(this.f64, value, i, end, p);
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
}
