/**
 * Reading everything that is not a scalar, a plain object or a packed array.
 */
import { CodecError, bad, unexpected } from "./errors.ts";
import { BINARY_ARRAY_BUFFER, BINARY_BUFFER, BINARY_DATA_VIEW, BINARY_UINT8, ELEMENT_BYTES, ERROR_CLASS_NAMES, HI_ARRAY, HI_ARRAY_HOLEY, HI_HOLES, HI_REF, MAX_ARRAY_LENGTH, MAX_HOLES } from "./format.ts";
import { ERROR_CAUSE, ERROR_CODE, ERROR_ERRORS, ERROR_MESSAGE, ERROR_NAME, ERROR_PROPERTIES, ERROR_STACK, TYPED_ARRAY_NAMES } from "./format.ts";
import { TAG_BINARY, TAG_BINARY_BLOCK, TAG_ENVELOPE, TAG_ERROR, TAG_HEAD, TAG_HOLES, TAG_MAP, TAG_REGEXP, TAG_SET, TAG_SHARED_MEMORY } from "./format.ts";
import { SHARED_ARRAY_BUFFER, SHARED_VIEW } from "./format.ts";
import { TAG_STRING_BLOCK, TAG_SYMBOL, TAG_URL, TEXT_ASCII, TEXT_UTF16 } from "./format.ts";
import { Envelope } from "../api/envelope.ts";
import { decodeText } from "./text-reader.ts";
import type { Decoder } from "./decode.ts";

/** A hole further than this from the items before it makes the array sparse. */
const SPARSE_GAP = 1024;
/** Above this many limbs a bigint is parsed from digits, because shifting copies what is there at every step. */
const SHIFTED_LIMBS = 16;
/** From this size on, memory that is not cleared before it is written is worth a view. */
const UNFILLED_BYTES = 4096;

/** The bigint whose magnitude is in slots `p` and `p + 1`. */
export function twoLimbs(big64: BigInt64Array, p: number, negative: boolean): bigint {
  const magnitude = (BigInt.asUintN(64, big64[p + 1]) << 64n) | BigInt.asUintN(64, big64[p]);
  return negative ? -magnitude : magnitude;
}

export function readBigInt(d: Decoder, negative: number, limbs: number): bigint {
  if (negative > 1 || limbs === 0) throw bad("a bigint without a magnitude");
  d.need(limbs);
  const { i32, p } = d;
  const big64 = d.views.big64;
  const top = p + limbs - 1;
  if ((i32[top * 2] | i32[top * 2 + 1]) === 0) throw bad("the highest limb of a bigint is 0");
  d.p = p + limbs;
  if (limbs === 2) return twoLimbs(big64, p, negative === 1);
  let value = 0n;
  if (limbs <= SHIFTED_LIMBS) {
    value = BigInt.asUintN(64, big64[top]);
    for (let i = top - 1; i >= p; i--) value = (value << 64n) | BigInt.asUintN(64, big64[i]);
  } else {
    let digits = "0x";
    for (let i = top; i >= p; i--) digits += hex(i32[i * 2 + 1]) + hex(i32[i * 2]);
    value = BigInt(digits);
  }
  if (limbs === 1 && BigInt.asIntN(64, negative === 1 ? -value : value) === (negative === 1 ? -value : value)) throw bad("a bigint that fits 64 bits");
  return negative === 1 ? -value : value;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}

export function readHoley(d: Decoder, entries: number): unknown[] {
  d.need(entries);
  d.enter();
  const array: unknown[] = [];
  d.refs?.push(array);
  let length = 0;
  let holes = 0;
  for (let k = 0; k < entries; k++) {
    const hi = d.peek();
    if (hi >= HI_HOLES && hi <= HI_HOLES + 0xff) {
      d.zero(hi & 0xff);
      const run = d.i32[d.p++ * 2] >>> 0;
      if (run === 0) throw bad("an empty run of holes");
      length += run;
      holes += run;
    } else {
      if (length < MAX_ARRAY_LENGTH) array[length] = d.value();
      length++;
    }
    if (length > MAX_ARRAY_LENGTH || holes > MAX_HOLES) throw bad("an array is too long");
  }
  d.depth--;
  setLength(array, length);
  return array;
}

/** Extends an array by holes, without memory for them. */
function setLength(array: unknown[], length: number): void {
  if (length === array.length) return;
  if (length - array.length > SPARSE_GAP) {
    // An item far away makes engines store the array by keys; its length stays when the item goes.
    array[length - 1] = undefined;
    delete array[length - 1];
  } else {
    array.length = length;
  }
}

export function readExotic(d: Decoder, tag: number, aux: number, lo: number): unknown {
  switch (tag) {
    case TAG_MAP:
      d.zero(aux);
      return readMap(d, lo);
    case TAG_SET:
      d.zero(aux);
      return readSet(d, lo);
    case TAG_REGEXP: {
      d.zero(aux);
      const source = d.string();
      const regexp = numbered(d, construct(() => new RegExp(source, d.string())));
      if (lo !== 0) regexp.lastIndex = lo;
      return regexp;
    }
    case TAG_URL:
      d.zero(aux | lo);
      return numbered(d, construct(() => new URL(d.string())));
    case TAG_SYMBOL:
      d.zero(aux | lo);
      return Symbol.for(d.string());
    case TAG_BINARY:
      return readBinary(d, aux, lo);
    case TAG_BINARY_BLOCK:
      return readBinaryBlock(d, aux, lo);
    case TAG_STRING_BLOCK:
      return readStringBlock(d, aux, lo);
    case TAG_ERROR:
      return readError(d, aux, lo);
    case TAG_SHARED_MEMORY:
      return readSharedMemory(d, aux, lo);
    case TAG_ENVELOPE:
      d.zero(aux | lo);
      return readEnvelope(d);
    case TAG_HEAD:
    case TAG_HOLES:
      throw unexpected("a tag where it has no meaning");
    default:
      throw new CodecError("UnknownTag", `tag ${tag}`);
  }
}

/** Gives the next number to an object that refers to nothing. */
function numbered<T extends object>(d: Decoder, object: T): T {
  d.refs?.push(object);
  return object;
}

function construct<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof CodecError) throw error;
    throw new CodecError("BadOperand", "a value that its class refuses", { cause: error });
  }
}

function readMap(d: Decoder, entries: number): Map<unknown, unknown> {
  if (entries * 2 > d.end - d.p) d.need(entries * 2);
  d.enter();
  const map = numbered(d, new Map<unknown, unknown>());
  for (let i = 0; i < entries; i++) {
    const key = d.value();
    map.set(key, d.value());
  }
  d.depth--;
  return map;
}

function readSet(d: Decoder, entries: number): Set<unknown> {
  d.need(entries);
  d.enter();
  const set = numbered(d, new Set<unknown>());
  for (let i = 0; i < entries; i++) set.add(d.value());
  d.depth--;
  return set;
}

function readEnvelope(d: Decoder): Envelope {
  d.enter();
  const envelope = numbered(d, new Envelope<unknown, unknown>(undefined, undefined)) as { header: unknown; body: unknown };
  envelope.header = d.value();
  envelope.body = d.value();
  d.depth--;
  return envelope as Envelope;
}

type ViewConstructor = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => object;
const globals = globalThis as unknown as Record<string, ViewConstructor | undefined>;
const viewConstructors = TYPED_ARRAY_NAMES.map((name) => (name === undefined ? undefined : globals[name]));
viewConstructors[BINARY_DATA_VIEW] = DataView;

interface BufferClass {
  from(buffer: ArrayBufferLike, byteOffset: number, length: number): object;
}

function checkBinary(kind: number, length: number): void {
  const size = ELEMENT_BYTES[kind];
  if (size === undefined) throw bad(`unknown binary kind ${kind}`);
  if (length % size !== 0) throw bad("a part of an element");
}

function readBinary(d: Decoder, kind: number, length: number): object {
  checkBinary(kind, length);
  const slots = Math.ceil(length / 8);
  d.need(slots);
  const from = d.p * 8;
  const u8 = d.views.u8;
  for (let i = from + length; i < from + slots * 8; i++) if (u8[i] !== 0) throw bad("padding that is not 0");
  d.p += slots;
  // Both copy; the constructor does not fill its memory with zeros first, but costs more for little.
  const bytes = length < UNFILLED_BYTES ? u8.slice(from, from + length) : new Uint8Array(u8.subarray(from, from + length));
  return numbered(d, kind === BINARY_UINT8 ? bytes : view(kind, bytes.buffer as ArrayBuffer));
}

/** A value of that kind over the whole of `buffer`. */
function view(kind: number, buffer: ArrayBuffer): object {
  return kind === BINARY_ARRAY_BUFFER ? buffer : viewOf(kind, buffer, 0, buffer.byteLength);
}

/** A view of that kind over a part of `buffer`. */
export function viewOf(kind: number, buffer: ArrayBufferLike, byteOffset: number, byteLength: number): object {
  if (kind === BINARY_BUFFER) {
    const { Buffer } = globalThis as unknown as { Buffer?: BufferClass };
    return Buffer === undefined ? new Uint8Array(buffer, byteOffset, byteLength) : Buffer.from(buffer, byteOffset, byteLength);
  }
  const constructor = viewConstructors[kind];
  if (constructor === undefined) throw bad(`this runtime has no ${TYPED_ARRAY_NAMES[kind] ?? "such type"}`);
  return new constructor(buffer, byteOffset, byteLength / ELEMENT_BYTES[kind]);
}

function needBlocks<T>(d: Decoder, blocks: T | null): T {
  if (!d.hasBlocks || blocks === null) throw unexpected("a block in a message that has none");
  return blocks;
}

function readBinaryBlock(d: Decoder, kind: number, length: number): object {
  checkBinary(kind, length);
  const blocks = needBlocks(d, d.blocks);
  d.need(1);
  const p = d.p++;
  const buffer = blocks.take(d.i32[p * 2], d.i32[p * 2 + 1], length);
  return numbered(d, kind === BINARY_UINT8 ? new Uint8Array(buffer) : view(kind, buffer));
}

function readStringBlock(d: Decoder, encoding: number, units: number): string {
  if (encoding > TEXT_UTF16) throw bad("unknown text encoding");
  const blocks = needBlocks(d, d.blocks);
  d.need(2);
  const p = d.p;
  d.p = p + 2;
  d.zero(d.i32[p * 2 + 3]);
  const length = d.i32[p * 2 + 2] >>> 0;
  const most = units * (encoding === TEXT_ASCII ? 1 : encoding === TEXT_UTF16 ? 2 : 3);
  if (length > most || length < (encoding === TEXT_UTF16 ? most : units)) throw bad("a string block of an impossible length");
  const lo = d.i32[p * 2];
  const hi = d.i32[p * 2 + 1];
  const bytes = blocks.open(lo, hi, length);
  try {
    const text = decodeText(bytes, 0, length, encoding);
    if (text.length !== units) throw bad("a string of another length");
    return text;
  } finally {
    blocks.release(lo, hi);
  }
}

function readSharedMemory(d: Decoder, kind: number, byteLength: number): object {
  const size = kind <= SHARED_ARRAY_BUFFER ? 1 : kind <= SHARED_VIEW ? undefined : ELEMENT_BYTES[kind - SHARED_VIEW];
  if (size === undefined) throw bad("unknown kind of shared memory");
  if (d.shared === null) throw bad("shared memory where none is possible");
  d.need(2);
  const p = d.p;
  d.p = p + 2;
  const { i32 } = d;
  d.zero(i32[p * 2 + 3]);
  const byteOffset = i32[p * 2 + 2] >>> 0;
  if (byteLength % size !== 0 || byteOffset % size !== 0) throw bad("a part of an element");
  return numbered(d, d.shared.open({ kind, byteLength, byteOffset, lo: i32[p * 2], hi: i32[p * 2 + 1] }));
}

const errorClasses = ERROR_CLASS_NAMES.map((name) => (globalThis as unknown as Record<string, new (...args: unknown[]) => Error>)[name]);
const AGGREGATE = 7;

/** Makes an error without paying for a stack that is replaced anyway. */
function makeError(errorClass: number, message: string | undefined): Error {
  const holder = Error as unknown as { stackTraceLimit?: number };
  const limit = holder.stackTraceLimit;
  try {
    holder.stackTraceLimit = 0;
  } catch {
    // Frozen: the stack is made and thrown away.
  }
  try {
    const constructor = errorClasses[errorClass];
    return errorClass === AGGREGATE ? new constructor([], message) : new constructor(message);
  } finally {
    try {
      holder.stackTraceLimit = limit;
    } catch {
      // As above.
    }
  }
}

function readError(d: Decoder, errorClass: number, bits: number): Error {
  if (errorClass >= errorClasses.length || bits > 127) throw bad("unknown bits in an error");
  d.enter();
  const at = d.refs === null ? -1 : d.refs.push(null) - 1;
  const name = (bits & ERROR_NAME) !== 0 ? d.string() : undefined;
  const message = (bits & ERROR_MESSAGE) !== 0 ? d.string() : undefined;
  const error = makeError(errorClass, message);
  if (at >= 0) d.refs![at] = error;
  // Assigned names are enumerable, as they are where the error was made.
  if (name !== undefined) define(error, "name", name, true);
  if ((bits & ERROR_STACK) !== 0) define(error, "stack", d.string(), false);
  else delete error.stack;
  if ((bits & ERROR_CAUSE) !== 0) define(error, "cause", d.value(), false);
  if ((bits & ERROR_CODE) !== 0) define(error, "code", d.value(), true);
  if ((bits & ERROR_ERRORS) !== 0) define(error, "errors", readErrors(d), false);
  else if (errorClass === AGGREGATE) delete (error as { errors?: unknown }).errors;
  if ((bits & ERROR_PROPERTIES) !== 0) {
    const shape = d.shape();
    d.enter();
    d.refs?.push({});
    for (const key of shape.keys) define(error, key, d.value(), true);
    d.depth--;
  }
  d.depth--;
  return error;
}

function readErrors(d: Decoder): unknown {
  const hi = d.peek();
  const array = hi >= HI_ARRAY && hi <= HI_ARRAY_HOLEY + 0xff;
  if (!array && (hi < HI_REF || hi > HI_REF + 0xff)) throw unexpected("the errors of an error are no array");
  return d.value();
}

function define(object: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable, configurable: true });
}
