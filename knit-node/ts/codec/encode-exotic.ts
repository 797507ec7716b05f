/**
 * Writing objects that are neither plain, nor arrays, nor dates.
 *
 * What an object has inside is read through the built-in accessors of its class, so that a fake (`Object.create(Map.prototype)`) is
 * refused instead of believed.
 */
import { ERROR_CAUSE, ERROR_CLASS_NAMES, ERROR_CODE, ERROR_ERRORS, ERROR_FIELDS, ERROR_MESSAGE, ERROR_NAME, ERROR_PROPERTIES, ERROR_STACK } from "./format.ts";
import { BINARY_ARRAY_BUFFER, BINARY_DATA_VIEW, HEAD_BLOCKS, HI_BINARY, HI_BINARY_BLOCK, HI_ENVELOPE, HI_ERROR, HI_MAP } from "./format.ts";
import { HI_REGEXP, HI_SET, HI_SHARED_MEMORY, HI_URL } from "./format.ts";
import { KIND_BINARY, KIND_ENVELOPE, KIND_ERROR, KIND_MAP, KIND_REGEXP, KIND_SET, KIND_URL, KIND_DATE, isSharedView } from "./classify.ts";
import { KnitError } from "../api/errors.ts";
import { REFUSED } from "./refuse.ts";
import type { BlockWriter } from "./hooks.ts";
import type { Writer } from "./writer.ts";
import type { SharedMemory } from "./hooks.ts";
import type { Envelope } from "../api/envelope.ts";

const mapForEach = Map.prototype.forEach;
const setForEach = Set.prototype.forEach;
const mapSize = getter(Map.prototype, "size");
const setSize = getter(Set.prototype, "size");
const bufferLength = getter(ArrayBuffer.prototype, "byteLength");
const viewLength = getter(DataView.prototype, "byteLength");
const regexpSource = getter(RegExp.prototype, "source");
const urlHref = getter(URL.prototype, "href");

function getter(prototype: object, name: string): (this: unknown) => unknown {
  return Object.getOwnPropertyDescriptor(prototype, name)!.get!;
}

/** Reads something that only a genuine instance has. */
function genuine<T>(read: (this: unknown) => unknown, value: object): T {
  try {
    return read.call(value) as T;
  } catch (error) {
    // What shared memory lacks to get there is no fault of the value.
    throw error instanceof KnitError ? error : REFUSED;
  }
}

export function putExotic(e: Writer, value: object, kind: number, p: number): number {
  if (kind >= KIND_BINARY) return putBinary(e, value, kind - KIND_BINARY, p);
  if (kind === KIND_DATE) return e.putDate(value as Date, p);
  const known = e.number(value);
  if (known >= 0) return e.putRef(known, p);
  if (kind >= KIND_ERROR) return putError(e, value as Error, kind - KIND_ERROR, p);
  switch (kind) {
    case KIND_MAP:
      return putMap(e, value as Map<unknown, unknown>, p);
    case KIND_SET:
      return putSet(e, value as Set<unknown>, p);
    case KIND_REGEXP: {
      const source = genuine<string>(regexpSource, value);
      const flags = (value as RegExp).flags;
      e.reserve(p + 3 + e.owed);
      return e.text(flags, e.text(source, e.slot(HI_REGEXP, lastIndex(value as RegExp), p)));
    }
    case KIND_URL:
      e.reserve(p + 2 + e.owed);
      return e.text(genuine<string>(urlHref, value), e.slot(HI_URL, 0, p));
    case KIND_ENVELOPE: {
      const envelope = value as Envelope;
      e.enter(3, p);
      p = e.slot(HI_ENVELOPE, 0, p);
      p = e.put(envelope.header, p);
      p = e.put(envelope.body, p);
      e.leave(3);
      return p;
    }
    default:
      return putSharedMemory(e, value, -1, p);
  }
}

/** Where the next match begins. What is below every index acts as 0, and what is past the longest string as any other such. */
function lastIndex(value: RegExp): number {
  const index: unknown = value.lastIndex;
  return typeof index === "number" && index > 0 ? Math.min(Math.trunc(index), 0xffff_ffff) : 0;
}

function putMap(e: Writer, value: Map<unknown, unknown>, p: number): number {
  const head = p++;
  let entries = 0;
  e.enter(1, head);
  const each = (item: unknown, key: unknown): void => {
    e.owed += 2;
    e.reserve(p + e.owed);
    p = e.put(item, e.put(key, p));
    e.owed -= 2;
    entries++;
  };
  genuine(mapSize, value);
  (mapForEach as Visit).call(value, each);
  e.slot(HI_MAP, entries, head);
  e.leave(1);
  return p;
}

function putSet(e: Writer, value: Set<unknown>, p: number): number {
  const head = p++;
  let entries = 0;
  e.enter(1, head);
  const each = (item: unknown): void => {
    e.reserve(p + 1 + e.owed);
    p = e.put(item, p);
    entries++;
  };
  genuine(setSize, value);
  (setForEach as Visit).call(value, each);
  e.slot(HI_SET, entries, head);
  e.leave(1);
  return p;
}

type Visit = (this: unknown, each: (item: unknown, key: unknown) => void) => void;

function putBinary(e: Writer, value: object, kind: number, p: number): number {
  const known = e.number(value);
  if (known >= 0) return e.putRef(known, p);
  if (kind !== BINARY_ARRAY_BUFFER && isSharedView(value)) return putSharedMemory(e, value, kind, p);
  const bytes = bytesOf(value, kind);
  const length = bytes.length;
  e.checkBytes(length);
  if (e.blocks !== null) {
    e.reserve(p + 2 + e.owed);
    const words = (p + 1) * 2;
    if (e.blocks.adopt?.(bytes, e.i32, words) || putInBlock(e, e.blocks, bytes, words)) {
      e.outside += length;
      e.headBits |= HEAD_BLOCKS;
      e.slot(HI_BINARY_BLOCK + kind, length, p);
      return p + 2;
    }
  }
  const slots = (length + 7) >>> 3;
  e.reserve(p + 1 + slots + e.owed);
  e.slot(HI_BINARY + kind, length, p);
  if (slots > 0) {
    e.f64[p + slots] = 0;
    e.out.u8.set(bytes, (p + 1) * 8);
  }
  return p + 1 + slots;
}

function putInBlock(e: Writer, blocks: BlockWriter, bytes: Uint8Array, words: number): boolean {
  if (bytes.length < blocks.minBytes) return false;
  const window = blocks.open(bytes.length, e.i32, words);
  window?.set(bytes);
  return window !== null;
}

/** The bytes of a buffer or view. */
function bytesOf(value: object, kind: number): Uint8Array {
  if (kind === BINARY_ARRAY_BUFFER) {
    const length = genuine<number>(bufferLength, value);
    const buffer = value as ArrayBuffer;
    if (length === 0 && isDetached(buffer)) throw REFUSED;
    return new Uint8Array(buffer, 0, length);
  }
  if (!ArrayBuffer.isView(value)) throw REFUSED;
  const length = kind === BINARY_DATA_VIEW ? genuine<number>(viewLength, value) : value.byteLength;
  if (length === 0 && isDetached(value.buffer)) throw REFUSED;
  return value instanceof Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, length);
}

/** Whether the memory is gone. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  return (buffer as { detached?: boolean }).detached === true;
}

function putSharedMemory(e: Writer, value: object, kind: number, p: number): number {
  const memory = genuine<SharedMemory | null>(() => e.shared?.describe(value, kind) ?? null, value);
  if (memory === null) throw REFUSED;
  e.reserve(p + 3 + e.owed);
  e.slot(HI_SHARED_MEMORY + memory.kind, memory.byteLength, p);
  e.slot(memory.hi, memory.lo, p + 1);
  return e.slot(0, memory.byteOffset, p + 2);
}

function putError(e: Writer, value: Error, errorClass: number, p: number): number {
  const error = value as Error & { code?: unknown; errors?: unknown };
  const { name, message, stack, cause, code, errors } = error;
  // Those that were assigned are enumerable, and properties like any other: so they stay what they are. Some libraries keep an object or an accessor there.
  const keys = Object.keys(error).filter((key) => !ERROR_FIELDS.has(key) || key === "cause" || key === "errors");
  const list = Array.isArray(errors) && !keys.includes("errors");
  let bits = 0;
  if (typeof name === "string" && name !== ERROR_CLASS_NAMES[errorClass]) bits |= ERROR_NAME;
  if (message !== "" || Object.hasOwn(error, "message")) bits |= ERROR_MESSAGE;
  if (typeof stack === "string") bits |= ERROR_STACK;
  if ((cause !== undefined || Object.hasOwn(error, "cause")) && !keys.includes("cause")) bits |= ERROR_CAUSE;
  if (code !== undefined || Object.hasOwn(error, "code")) bits |= ERROR_CODE;
  if (list) bits |= ERROR_ERRORS;
  if (keys.length > 0) bits |= ERROR_PROPERTIES;
  e.enter(8, p);
  p = e.slot(HI_ERROR + errorClass, bits, p);
  if ((bits & ERROR_NAME) !== 0) p = e.text(name, p);
  if ((bits & ERROR_MESSAGE) !== 0) p = e.text(typeof message === "string" ? message : String(message), p);
  if ((bits & ERROR_STACK) !== 0) p = e.text(stack!, p);
  if ((bits & ERROR_CAUSE) !== 0) p = e.put(cause, p);
  if ((bits & ERROR_CODE) !== 0) p = e.put(code, p);
  if ((bits & ERROR_ERRORS) !== 0) p = e.put(errors, p);
  if ((bits & ERROR_PROPERTIES) !== 0) {
    // The object that holds them takes a number, though nothing can refer to it.
    e.number({});
    p = e.putUncached(error as unknown as Record<string, unknown>, keys, 0, p);
  }
  e.leave(8);
  return p;
}
