/**
 * Bytes to values: the reader of the value format, version 1.
 *
 * Guarantees: bytes are input, not trusted. Every length is checked before use; a message that breaks a rule is a `CodecError`; memory
 * allocated is a small multiple of the message's length. What is returned shares nothing with the buffer.
 * Does not guarantee: that the bytes stay the same while they are read. The caller owns the stretch it passes.
 *
 * References are numbered only if the message says that it has some: else objects are made by literals, content first.
 */
import { CodecError, bad, unexpected } from "./errors.ts";
import { DEFAULT_LIMITS, FIRST_RESERVED, HI_ARRAY_NUMBERS, HI_BIGINT, HI_BIGINT64, HI_DATE, HI_FALSE, HI_HEAD, HI_HOLES, HI_NULL, HI_OBJECT_LOCAL, HI_OBJECT_SHARED, HI_STRING, HI_TRUE, HI_UNDEFINED, TAGGED } from "./format.ts";
import { TAG_ARRAY, TAG_ARRAY_HOLEY, TAG_ARRAY_NUMBERS, TAG_BIGINT, TAG_BIGINT64, TAG_DATE, TAG_FALSE, TAG_NULL, TAG_OBJECT_LOCAL } from "./format.ts";
import { MAX_SHAPE_KEYS, TAG_OBJECT_NEW, TAG_OBJECT_SHARED, TAG_REF, TAG_STRING, TAG_TRUE, TAG_UNDEFINED, TEXT_ASCII, TEXT_UTF16 } from "./format.ts";
import { HEAD_BLOCKS, HEAD_REFS, TAG_ENVELOPE } from "./format.ts";
import { ReadShape, checkKeys } from "./shapes.ts";
import { TextReader, decodeAscii } from "./text-reader.ts";
import { TEMPLATE, filled, readNumbers } from "./decode-numbers.ts";
import { readBigInt, readExotic, readHoley, twoLimbs } from "./decode-rare.ts";
import type { ByteBuffer } from "./buffer.ts";
import type { BlockReader, CodecHooks, SharedMemoryReader } from "./hooks.ts";
import type { Limits } from "./format.ts";
import type { ShapeFactory } from "./compile.ts";
import type { ShapeReader } from "./shapes.ts";

const UNDEFINED = filled<unknown>(undefined);

export class Decoder {
  // For the codec's own files: state of the message being read.
  i32!: Int32Array;
  f64!: Float64Array;
  views!: ByteBuffer;
  /** Next slot, and the slot after the last of the value. */
  p = 0;
  end = 0;
  depth = 0;
  hasBlocks = false;
  /** Objects by number, or null if the message refers to none. */
  refs: unknown[] | null = null;
  readonly text = new TextReader();
  readonly limits: Limits;
  readonly blocks: BlockReader | null;
  readonly shared: SharedMemoryReader | null;
  readonly #shapes: ShapeReader | null;
  readonly #compile: boolean;
  #locals: ReadShape[] = [];

  constructor(shapes: ShapeReader | null, limits: Limits = DEFAULT_LIMITS, options: CodecHooks<BlockReader, SharedMemoryReader> = {}) {
    this.#shapes = shapes;
    this.limits = limits;
    this.blocks = options.blocks ?? null;
    this.shared = options.shared ?? null;
    this.#compile = options.compile ?? true;
  }

  /** Reads the message of `length` bytes at byte `at`, a multiple of 8. */
  decode(views: ByteBuffer, at: number, length: number): unknown {
    if (!(length >= 8 && at >= 0 && (at & 7) === 0 && at + length <= views.byteLength)) throw new CodecError("Truncated", "no room for a slot");
    const slot = at >>> 3;
    const hi = views.i32[slot * 2 + 1];
    if (length === 8) {
      const number = views.f64[slot];
      if (number === number) return small(number);
      if (hi >= 0 || hi < FIRST_RESERVED) return number;
      if (views.i32[slot * 2] === 0) {
        if (hi === HI_UNDEFINED) return undefined;
        if (hi === HI_NULL) return null;
        if (hi === HI_TRUE) return true;
        if (hi === HI_FALSE) return false;
      }
    }
    return this.#decodeMore(views, at, length, hi);
  }

  /** Apart, so that what reads a number stays small enough to be compiled into its caller. */
  #decodeMore(views: ByteBuffer, at: number, length: number, hi: number): unknown {
    const slot = at >>> 3;
    if (length === 16 && views.i32[slot * 2] === 0) {
      if (hi === HI_BIGINT64) return views.big64[slot + 1];
      if (hi === HI_DATE) return new Date(views.f64[slot + 1]);
    } else if (length === 24 && (hi === HI_BIGINT || hi === HI_BIGINT + 1) && views.i32[slot * 2] === 2) {
      if ((views.i32[slot * 2 + 4] | views.i32[slot * 2 + 5]) !== 0) return twoLimbs(views.big64, slot + 1, hi !== HI_BIGINT);
    } else if (hi === HI_HEAD && length >= 16) {
      // The most frequent kinds of values, alone in a message of ASCII that refers to nothing.
      const lo = views.i32[slot * 2 + 2];
      switch (views.i32[slot * 2 + 3]) {
        case HI_STRING:
          if (lo === length - 16 && views.i32[slot * 2] === 16) return this.#decodeString(views, at, length);
          break;
        case HI_OBJECT_SHARED: {
          const factory = this.#shapes?.factory(lo);
          if (factory != null) return this.#decodeObject(views, at, length, factory);
          break;
        }
        case HI_ARRAY_NUMBERS:
          if (views.i32[slot * 2] === length) return this.#decodeNumbers(views, at, length, lo >>> 0);
      }
    }
    return this.#decodeTree(views, at, length, hi);
  }

  #decodeString(views: ByteBuffer, at: number, length: number): string {
    this.#use(views, length);
    return decodeAscii(views.u8, views.i32, at + 16, at + length);
  }

  #decodeNumbers(views: ByteBuffer, at: number, length: number, n: number): number[] {
    this.#begin(views, at, length);
    this.p = (at >>> 3) + 2;
    const numbers = readNumbers(this, n);
    if (this.p !== this.end) throw new CodecError("TrailingBytes", "the value ends before the text begins");
    return numbers;
  }

  /** An object of a shape that came often. */
  #decodeObject(views: ByteBuffer, at: number, length: number, factory: ShapeFactory): unknown {
    const textAt = this.#begin(views, at, length);
    this.p = (at >>> 3) + 2;
    this.hasBlocks = false;
    this.text.start(views.u8, views.i32, at + textAt, at + length, TEXT_ASCII, false);
    this.enter();
    let value: object;
    try {
      value = factory(this);
    } catch (error) {
      throw deep(error);
    }
    this.#finish();
    return value;
  }

  #decodeTree(views: ByteBuffer, at: number, length: number, hi: number): unknown {
    if (hi < HI_HEAD || hi >= HI_UNDEFINED) return this.#decodeScalar(views, at, length);
    const bits = hi - HI_HEAD;
    const encoding = bits & 3;
    if (bits > 15 || encoding > TEXT_UTF16) throw bad("unknown bits in the head");
    const textAt = this.#begin(views, at, length);
    this.p = (at >>> 3) + 1;
    this.hasBlocks = (bits & HEAD_BLOCKS) !== 0;
    if ((bits & HEAD_REFS) !== 0) this.refs = [];
    // Text right after one slot is that of a string.
    this.text.start(views.u8, views.i32, at + textAt, at + length, encoding, textAt === 16);
    let value: unknown;
    try {
      if (this.#rootIsScalar()) throw unexpected("a head before a scalar");
      value = this.value();
    } catch (error) {
      throw deep(error);
    } finally {
      this.refs = null;
    }
    this.#finish();
    return value;
  }

  /** Starts on a message with a head; returns its text's offset. */
  #begin(views: ByteBuffer, at: number, length: number): number {
    this.#use(views, length);
    const slot = at >>> 3;
    const textAt = views.i32[slot * 2];
    if ((textAt & 7) !== 0) throw bad("text that is not at a whole slot");
    if (textAt < 16 || textAt > length) throw new CodecError("Truncated", "the text's offset leaves no room for a value, or for the text");
    this.end = slot + (textAt >>> 3);
    if (this.#locals.length > 0) this.#locals = [];
    return textAt;
  }

  #use(views: ByteBuffer, length: number): void {
    if (length > this.limits.maxBytes) throw new CodecError("TooLarge", `${length} bytes, the limit is ${this.limits.maxBytes}`);
    this.views = views;
    this.i32 = views.i32;
    this.f64 = views.f64;
    this.depth = 0;
    this.refs = null;
  }

  #finish(): void {
    if (this.p !== this.end) throw new CodecError("TrailingBytes", "the value ends before the text begins");
    this.text.finish();
  }

  #decodeScalar(views: ByteBuffer, at: number, length: number): unknown {
    this.#use(views, length);
    const slot = at >>> 3;
    if ((length & 7) !== 0) throw new CodecError("TrailingBytes", "a part of a slot follows the value");
    this.p = slot;
    this.end = slot + (length >>> 3);
    this.hasBlocks = false;
    const hi = this.i32[slot * 2 + 1];
    const tag = (hi - TAGGED) >> 8;
    if (!this.#rootIsScalar() && hi >= TAGGED && tag <= TAG_ENVELOPE) throw unexpected("a root that is no scalar without a head");
    const value = this.value();
    if (this.p !== this.end) throw new CodecError("TrailingBytes", "bytes follow the value");
    return value;
  }

  /** Whether the slot at `p` starts a value that has no head when it is the root. */
  #rootIsScalar(): boolean {
    const hi = this.i32[this.p * 2 + 1];
    if (hi >= 0 || hi < FIRST_RESERVED) return true;
    return (hi >= HI_UNDEFINED && hi < HI_HOLES) || (hi >= HI_BIGINT64 && hi < HI_OBJECT_SHARED);
  }

  /** Reads the value at `p`. */
  value(): unknown {
    const p = this.p;
    if (p >= this.end) throw new CodecError("Truncated", "the value goes on past its end");
    // Every tag is a NaN to the floating-point unit.
    const number = this.f64[p];
    if (number === number) {
      this.p = p + 1;
      return small(number);
    }
    const hi = this.i32[p * 2 + 1];
    if (hi === HI_STRING) {
      this.p = p + 1;
      return this.text.take(this.i32[p * 2]);
    }
    return this.#tagged(p, hi);
  }

  #tagged(p: number, hi: number): unknown {
    if (hi >= 0 || hi < FIRST_RESERVED) {
      this.p = p + 1;
      return NaN;
    }
    const tag = (hi - TAGGED) >> 8;
    if (tag < 0 || tag > 0xff) throw new CodecError("ReservedSlot", `high word ${(hi >>> 0).toString(16)}`);
    const aux = hi & 0xff;
    const lo = this.i32[p * 2] >>> 0;
    this.p = p + 1;
    switch (tag) {
      case TAG_UNDEFINED:
        return this.#plain(undefined, aux, lo);
      case TAG_NULL:
        return this.#plain(null, aux, lo);
      case TAG_FALSE:
        return this.#plain(false, aux, lo);
      case TAG_TRUE:
        return this.#plain(true, aux, lo);
      case TAG_STRING:
        throw bad("a string with operand bits");
      case TAG_OBJECT_SHARED:
      case TAG_OBJECT_NEW:
      case TAG_OBJECT_LOCAL:
        return this.#object(this.#shapeOf(tag, lo), aux);
      case TAG_ARRAY:
        this.zero(aux);
        return this.#array(lo);
      case TAG_ARRAY_NUMBERS:
        this.zero(aux);
        return readNumbers(this, lo);
      case TAG_ARRAY_HOLEY:
        this.zero(aux);
        return readHoley(this, lo);
      case TAG_DATE:
        return this.#date(aux | lo);
      case TAG_BIGINT64:
        this.zero(aux | lo);
        this.need(1);
        return this.views.big64[this.p++];
      case TAG_BIGINT:
        return readBigInt(this, aux, lo);
      case TAG_REF:
        return this.#ref(aux, lo);
      default:
        return readExotic(this, tag, aux, lo);
    }
  }

  #plain<T>(value: T, aux: number, lo: number): T {
    this.zero(aux | lo);
    return value;
  }

  /** Fails unless an operand that means nothing is 0. */
  zero(operand: number): void {
    if (operand !== 0) throw bad("an unused operand is not 0");
  }

  /** Fails unless `slots` slots are left. */
  need(slots: number): void {
    if (slots > this.end - this.p) throw new CodecError("Truncated", "a count exceeds the slots left");
  }

  enter(): void {
    if (++this.depth > this.limits.maxDepth) throw new CodecError("TooDeep", `nested deeper than ${this.limits.maxDepth} levels`);
  }

  /** A string that must be one. */
  string(): string {
    this.need(1);
    const p = this.p++;
    if (this.i32[p * 2 + 1] !== HI_STRING) throw this.#notString(this.i32[p * 2 + 1]);
    return this.text.take(this.i32[p * 2]);
  }

  #notString(hi: number): CodecError {
    if (hi < 0 && hi >= FIRST_RESERVED && (hi < TAGGED || hi >= TAGGED + 0x1_0000)) return new CodecError("ReservedSlot", "a string is missing");
    if (hi > HI_STRING && hi <= HI_STRING + 0xff) return bad("a string with operand bits");
    const tag = (hi - TAGGED) >> 8;
    if (hi < 0 && tag > TAG_ENVELOPE) return new CodecError("UnknownTag", `tag ${tag}`);
    return unexpected("a string is missing");
  }

  #newShape(n: number): ReadShape {
    if (n > MAX_SHAPE_KEYS) throw bad("a shape has too many keys");
    this.need(n);
    const keys: string[] = [];
    for (let i = 0; i < n; i++) keys.push(this.string());
    checkKeys(keys);
    const shape = new ReadShape(keys);
    this.#locals.push(shape);
    return shape;
  }

  #object(shape: ReadShape, aux: number): object {
    if (aux > 1) throw bad("unknown bits in an object");
    this.need(shape.keys.length);
    this.enter();
    let object: object;
    if (aux === 0 && this.refs === null) {
      const factory = shape.factory;
      object = factory !== null ? factory(this) : this.fill({}, shape);
      if (factory === null) shape.use(object, this.#compile);
    } else {
      object = aux === 0 ? {} : (Object.create(null) as object);
      this.refs?.push(object);
      this.fill(object, shape);
    }
    this.depth--;
    return object;
  }

  /** Reads the properties of `object`. They are defined, never assigned through what it inherits. */
  fill<T extends object>(object: T, shape: ReadShape): T {
    const { keys, define } = shape;
    const target = object as Record<string, unknown>;
    for (let i = 0; i < keys.length; i++) {
      if (define[i]) Object.defineProperty(object, keys[i], { value: this.value(), writable: true, enumerable: true, configurable: true });
      else target[keys[i]] = this.value();
    }
    return object;
  }

  #array(n: number): unknown[] {
    this.need(n);
    this.enter();
    let array: unknown[];
    if (n > TEMPLATE) {
      array = [];
      this.refs?.push(array);
      for (let i = 0; i < n; i++) array.push(this.value());
    } else {
      // Of the right size at once, and without holes.
      array = UNDEFINED.slice(0, n);
      this.refs?.push(array);
      for (let i = 0; i < n; i++) array[i] = this.value();
    }
    this.depth--;
    return array;
  }

  #date(operand: number): Date {
    this.zero(operand);
    this.need(1);
    const date = new Date(this.f64[this.p++]);
    this.refs?.push(date);
    return date;
  }

  #ref(aux: number, number: number): unknown {
    this.zero(aux);
    if (this.refs === null) throw unexpected("a reference in a message that has none");
    if (number >= this.refs.length) throw new CodecError("BadReference", "a reference to something that comes later");
    return this.refs[number];
  }

  /** The high word of the next slot. */
  peek(): number {
    this.need(1);
    return this.i32[this.p * 2 + 1];
  }

  /** The shape of an object that must be one with the usual prototype. */
  shape(): ReadShape {
    const hi = this.peek();
    const lo = this.i32[this.p++ * 2] >>> 0;
    if (hi < HI_OBJECT_SHARED || hi > HI_OBJECT_LOCAL + 0xff) throw unexpected("an object is missing");
    this.zero(hi & 0xff);
    const shape = this.#shapeOf((hi - TAGGED) >> 8, lo);
    this.need(shape.keys.length);
    return shape;
  }

  #shapeOf(tag: number, lo: number): ReadShape {
    if (tag === TAG_OBJECT_NEW) return this.#newShape(lo);
    const shape = tag === TAG_OBJECT_SHARED ? this.#shapes?.get(lo) : this.#locals[lo];
    if (shape === undefined) throw new CodecError("UnknownShape", `shape ${lo} is not defined`);
    return shape;
  }
}

/** The stack's own limit is one of nesting. */
function deep(error: unknown): unknown {
  return error instanceof RangeError ? new CodecError("TooDeep", "nested deeper than this runtime's stack", { cause: error }) : error;
}

/**
 * The same number, as a small integer inside the engine if it is one. Read from memory it is a floating-point number, and a function that is
 * given one is compiled for such: what it then computes with integers takes half as long again.
 */
function small(number: number): number {
  const integer = number | 0;
  return integer === number && (integer !== 0 || 1 / number > 0) ? integer : number;
}
