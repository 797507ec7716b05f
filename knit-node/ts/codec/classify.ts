/**
 * What kind of object something is, by its prototype.
 *
 * Only the built-in classes themselves are supported, not classes derived from them (errors excepted), because a derived class would
 * arrive as something else. Built-ins of another realm (`node:vm`, test runners) count as ours.
 */
import { ERROR_CLASS_NAMES, TYPED_ARRAY_NAMES, BINARY_ARRAY_BUFFER, BINARY_BUFFER, BINARY_DATA_VIEW } from "./format.ts";
import { Envelope } from "../api/envelope.ts";

export const KIND_UNSUPPORTED = 0;
export const KIND_PLAIN = 1;
export const KIND_ARRAY = 2;
export const KIND_DATE = 3;
export const KIND_REGEXP = 4;
export const KIND_MAP = 5;
export const KIND_SET = 6;
export const KIND_URL = 7;
export const KIND_ENVELOPE = 8;
export const KIND_SHARED_ARRAY_BUFFER = 9;
/** Plus the error class. */
export const KIND_ERROR = 0x10;
/** Plus the binary kind. */
export const KIND_BINARY = 0x20;

type Constructor = new (...args: never[]) => object;

const globals = globalThis as unknown as Record<string, Constructor | undefined>;
const byPrototype = new Map<object, number>();
const byName = new Map<string, number>();

function know(name: string, kind: number): void {
  const constructor = globals[name];
  if (typeof constructor !== "function") return;
  byPrototype.set(constructor.prototype as object, kind);
  byName.set(name, kind);
}

know("Object", KIND_PLAIN);
know("Array", KIND_ARRAY);
know("Date", KIND_DATE);
know("RegExp", KIND_REGEXP);
know("Map", KIND_MAP);
know("Set", KIND_SET);
know("URL", KIND_URL);
know("SharedArrayBuffer", KIND_SHARED_ARRAY_BUFFER);
ERROR_CLASS_NAMES.forEach((name, i) => know(name, KIND_ERROR + i));
know("ArrayBuffer", KIND_BINARY + BINARY_ARRAY_BUFFER);
know("DataView", KIND_BINARY + BINARY_DATA_VIEW);
TYPED_ARRAY_NAMES.forEach((name, i) => {
  if (name !== undefined) know(name, KIND_BINARY + i);
});
byPrototype.set(Envelope.prototype, KIND_ENVELOPE);

const toString = Object.prototype.toString;

/** The kind of an object whose prototype is `prototype`. */
export function classify(value: object, prototype: object | null): number {
  if (prototype === null) return KIND_PLAIN;
  const kind = byPrototype.get(prototype);
  if (kind !== undefined && kind !== KIND_ARRAY) return kind;
  return classifyRare(value, prototype);
}

function classifyRare(value: object, prototype: object): number {
  if (Array.isArray(value)) return prototype === Array.prototype || isForeign(value, prototype, "Array") ? KIND_ARRAY : KIND_UNSUPPORTED;
  if (value instanceof Error) return KIND_ERROR;
  // Not looked for before: Deno takes milliseconds for it, when it is first asked for.
  if (value instanceof Uint8Array && !byName.has("Buffer")) {
    know("Buffer", KIND_BINARY + BINARY_BUFFER);
    if (prototype === globals["Buffer"]?.prototype) return KIND_BINARY + BINARY_BUFFER;
  }
  const tag = toString.call(value).slice(8, -1);
  if (tag === "Error" && !(value instanceof Object)) return foreignErrorKind(prototype);
  const kind = byName.get(tag);
  if (kind !== undefined && isForeign(value, prototype, tag)) return kind;
  return KIND_UNSUPPORTED;
}

/** Whether `value` is an instance of another realm's built-in class `name` itself. */
function isForeign(value: object, prototype: object, name: string): boolean {
  return !(value instanceof Object) && constructorName(prototype) === name;
}

function foreignErrorKind(prototype: object): number {
  const index = ERROR_CLASS_NAMES.indexOf(constructorName(prototype));
  return KIND_ERROR + Math.max(index, 0);
}

/** The name of the class that owns `prototype`, or "". */
export function constructorName(prototype: object | null): string {
  if (prototype === null) return "";
  const descriptor = Object.getOwnPropertyDescriptor(prototype, "constructor");
  const constructor: unknown = descriptor?.value;
  return typeof constructor === "function" ? constructor.name : "";
}

/** Whether `value` is a `SharedArrayBuffer`, of any realm. */
export function isSharedBuffer(value: object): value is SharedArrayBuffer {
  return value instanceof SharedArrayBuffer || (!(value instanceof Object) && toString.call(value) === "[object SharedArrayBuffer]");
}

/** Whether `value` is a view of one. */
export function isSharedView(value: object): value is ArrayBufferView<SharedArrayBuffer> {
  return ArrayBuffer.isView(value) && !(value.buffer instanceof ArrayBuffer) && isSharedBuffer(value.buffer);
}
