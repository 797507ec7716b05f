/**
 * Values to bytes: the writer of the value format, version 1.
 *
 * Guarantees: one pass over the value, each property of an object read once (items of an array may be read again); identity and cycles kept;
 * whatever it cannot carry is refused with its path. When it refuses, bytes past `at` are garbage and nothing else has changed.
 * Does not guarantee: synchronisation (publication is the caller's), or that a value changed by its own accessors while it is read is
 * consistent.
 *
 * Accessors are user code and may call the pool again, in the middle of a message. `busy` tells the owner: it must pass another buffer
 * then; this class switches to a second encoder by itself.
 */
import { KnitError } from "../api/errors.ts";
import { DEFAULT_LIMITS, HI_BIGINT64, HI_DATE, HI_FALSE, HI_HEAD, HI_NULL, HI_STRING, HI_TRUE, HI_UNDEFINED, NAN_HI } from "./format.ts";
import { REFUSED, TooLarge, explain, explainRevoked, tooDeep } from "./refuse.ts";
import { Writer } from "./writer.ts";
import { NOT_FLAT } from "./compile.ts";
import { encodeNumbers } from "./encode-numbers.ts";
import { putBigInt } from "./encode-rare.ts";
import { encoding, writeString, writeText } from "./text.ts";
import type { ByteBuffer } from "./buffer.ts";
import type { EncoderOptions } from "./writer.ts";
import type { Limits } from "./format.ts";
import type { Shape } from "./shape-cache.ts";
import type { ShapeWriter } from "./shapes.ts";

export type { EncoderOptions } from "./writer.ts";

const getPrototypeOf = Object.getPrototypeOf;
const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const isArray = Array.isArray;
const datePrototype = Date.prototype;
const getTime = Date.prototype.getTime;

export class Encoder {
  /** Whether a message is being written; then a call from user code needs another buffer. */
  busy = false;
  readonly #writer: Writer;
  readonly #table: ShapeWriter | null;
  readonly #options: EncoderOptions;
  readonly #maxBytes: number;
  #second: Encoder | null = null;

  constructor(shapes: ShapeWriter | null, limits: Limits = DEFAULT_LIMITS, options: EncoderOptions = {}) {
    this.#table = shapes;
    this.#options = options;
    this.#maxBytes = limits.maxBytes;
    this.#writer = new Writer(shapes, limits, options);
  }

  /** Writes one message at byte `at` (a multiple of 8) of `out`, growing it if needed; returns its end. Not padded. */
  encode(value: unknown, out: ByteBuffer, at: number): number {
    if (out.byteLength < at + 24) out.grow(at + 24);
    const slot = at >>> 3;
    if (typeof value === "number" && value === value) {
      out.f64[slot] = value;
      return at + 8;
    }
    if (value === undefined) {
      put(out, slot, HI_UNDEFINED);
      return at + 8;
    }
    return this.#encodeMore(value, out, at);
  }

  /** Apart, so that what writes a number stays small enough to be compiled into its caller. */
  #encodeMore(value: unknown, out: ByteBuffer, at: number): number {
    const slot = at >>> 3;
    switch (typeof value) {
      case "string": {
        const end = encodeString(value, out, at);
        return end >= 0 && end - at <= this.#maxBytes ? end : this.#encodeOther(value, out, at);
      }
      case "object":
        if (value !== null) return this.#encodeObject(value, out, at);
        put(out, slot, HI_NULL);
        return at + 8;
      case "boolean":
        put(out, slot, value ? HI_TRUE : HI_FALSE);
        return at + 8;
      case "number":
        put(out, slot, NAN_HI);
        return at + 8;
      case "bigint": {
        const { big64 } = out;
        big64[slot + 1] = value;
        if (big64[slot + 1] !== value) return this.#encodeBigInt(value, out, at);
        put(out, slot, HI_BIGINT64);
        return at + 16;
      }
      default:
        return this.#encodeOther(value, out, at);
    }
  }

  /** Asking for the prototype already runs user code, if the object is a proxy. */
  #encodeObject(value: object, out: ByteBuffer, at: number): number {
    if (this.busy) return this.#other().#encodeObject(value, out, at);
    this.busy = true;
    try {
      const prototype = getPrototypeOf(value) as object | null;
      if (prototype === datePrototype) return this.#encodeDate(value as Date, out, at);
      if (prototype !== objectPrototype) {
        const end = prototype === arrayPrototype && isArray(value) ? encodeNumbers(value, out, at) : 0;
        return end > 0 && end - at <= this.#maxBytes ? end : this.#encodeTree(value, prototype, null, out, at);
      }
      const writer = this.#writer;
      const shapes = writer.rootShapes;
      for (let i = 0; i < shapes.length; i++) {
        const shape = shapes[i];
        if (shape.flat === null) continue;
        const end = shape.flat(value as Record<string, unknown>, out, at, writer);
        if (end > 0) return end;
        if (end === NOT_FLAT) return this.#encodeTree(value, prototype, shape, out, at);
      }
      return this.#encodeTree(value, prototype, null, out, at);
    } catch (error) {
      if (error instanceof TooLarge) throw error.explain(value, this.#writer.root);
      throw error instanceof TypeError ? (explainRevoked(value, this.#writer.root) ?? error) : error;
    } finally {
      this.busy = false;
    }
  }

  #encodeDate(value: Date, out: ByteBuffer, at: number): number {
    let time: number;
    try {
      time = getTime.call(value);
    } catch {
      throw explain(value, this.#writer.root, null);
    }
    const slot = at >>> 3;
    put(out, slot, HI_DATE);
    if (time === time) out.f64[slot + 1] = time;
    else put(out, slot + 1, NAN_HI);
    return at + 16;
  }

  /** A bigint of more than 64 bits: no head, no text. */
  #encodeBigInt(value: bigint, out: ByteBuffer, at: number): number {
    if (this.busy) return this.#other().#encodeBigInt(value, out, at);
    const writer = this.#writer;
    writer.start(out, at >>> 3);
    try {
      const end = putBigInt(writer, value, at >>> 3) * 8;
      writer.checkBytes(end - at);
      return end;
    } catch (error) {
      throw this.#refusal(error, value);
    }
  }

  /** A value that is no object, and needs a head. */
  #encodeOther(value: unknown, out: ByteBuffer, at: number): number {
    if (this.busy) return this.#other().#encodeOther(value, out, at);
    this.busy = true;
    try {
      return this.#encodeTree(value, null, null, out, at);
    } finally {
      this.busy = false;
    }
  }

  /** `prototype`: that of an object; null otherwise too. `spilled`: the shape whose values the writer has already read. */
  #encodeTree(value: unknown, prototype: object | null, spilled: Shape | null, out: ByteBuffer, at: number): number {
    const writer = this.#writer;
    const head = at >>> 3;
    writer.start(out, head);
    try {
      const textAt = 8 * writer.putRoot(value, prototype, spilled, head + 1);
      writer.checkBytes(textAt - at + writer.units);
      const end = writeText(out, textAt, writer.strings, writer.stringCount, writer.units);
      writer.checkBytes(end - at);
      const { i32 } = out;
      i32[head * 2] = textAt - at;
      i32[head * 2 + 1] = HI_HEAD + encoding + writer.headBits;
      return end;
    } catch (error) {
      throw this.#refusal(error, value);
    } finally {
      writer.finish();
    }
  }

  #refusal(error: unknown, value: unknown): unknown {
    const { blocks, depth, root, shared } = this.#writer;
    blocks?.discard();
    shared?.discard();
    if (error === REFUSED) return explain(value, root, shared);
    if (error instanceof TooLarge) return error.explain(value, root);
    // The stack's own limit. Errors of accessors and of the buffer's owner are theirs.
    if (error instanceof RangeError && depth > 100 && !(error instanceof KnitError)) return tooDeep(root, depth);
    return error;
  }

  #other(): Encoder {
    this.#second ??= new Encoder(this.#table, this.#writer.limits, this.#options);
    return this.#second;
  }
}

function put(out: ByteBuffer, slot: number, hi: number): void {
  const { i32 } = out;
  i32[slot * 2] = 0;
  i32[slot * 2 + 1] = hi;
}

/** A string of ASCII that is a message by itself; -1 if it is none, or long. */
function encodeString(value: string, out: ByteBuffer, at: number): number {
  const end = writeString(out, at + 16, value);
  if (end < 0) return -1;
  const { i32 } = out;
  const word = at >>> 2;
  i32[word] = 16;
  i32[word + 1] = HI_HEAD;
  i32[word + 2] = value.length;
  i32[word + 3] = HI_STRING;
  return end;
}
