/**
 * Finding what was refused, and where: a second, slow walk that happens only after a refusal.
 */
import { UnsupportedValueError } from "../api/errors.ts";
import { KIND_ARRAY, KIND_BINARY, KIND_DATE, KIND_ENVELOPE, KIND_MAP, KIND_PLAIN, KIND_REGEXP, KIND_SET, KIND_SHARED_ARRAY_BUFFER, KIND_UNSUPPORTED, KIND_URL } from "./classify.ts";
import { classify, constructorName, isSharedBuffer, isSharedView } from "./classify.ts";
import { ERROR_FIELDS, MAX_SHAPE_KEYS, MAX_SHARED_BYTES } from "./format.ts";
import { findRevoked, findWhere } from "./find.ts";
import type { SharedMemoryWriter } from "./hooks.ts";

interface Refused {
  readonly code: string;
  readonly path: string;
  readonly kind: string;
  readonly advice: string;
}

/** Thrown where a value is refused; the encoder then looks for its path. No `Error`: the first one of a thread takes Deno five milliseconds, and every thread loads this. */
export const REFUSED: unique symbol = Symbol("refused");

const FUNCTION = "KNT_ERROR_0";
const SYMBOL = "KNT_ERROR_1";
const UNREADABLE = "KNT_ERROR_2";
const UNSUPPORTED = "KNT_ERROR_3";

/** The error for a value that the encoder refused. */
export function explain(value: unknown, root: string, shared: SharedMemoryWriter | null): UnsupportedValueError {
  const found = find(value, root, new Set(), shared) ?? {
    code: UNREADABLE,
    path: root,
    kind: "value that changes while it is read",
    advice: "Send a plain copy of it.",
  };
  return new UnsupportedValueError(found.code, found.path, found.kind, `Cannot send ${found.path}: ${found.kind}. ${found.advice}`);
}

/** The error for a revoked proxy somewhere in `value`; null if there is none, so that the engine's error came from elsewhere. */
export function explainRevoked(value: unknown, root: string): UnsupportedValueError | null {
  const path = findRevoked(value, root, member);
  if (path === null) return null;
  const kind = "revoked proxy that cannot be read";
  return new UnsupportedValueError(UNREADABLE, path, kind, `Cannot send ${path}: ${kind}. Send it before it is revoked, or send a plain copy of it.`);
}

export function tooDeep(root: string, maxDepth: number): UnsupportedValueError {
  const kind = `value nested deeper than ${maxDepth} levels`;
  return new UnsupportedValueError(UNSUPPORTED, root, kind, `Cannot send ${root}: ${kind}. Send it in a flatter form.`);
}

/** Parts that are looked at: the one to blame for a large value is among few, and who sends too much of many small ones should hear of it at once. */
const MOST_PARTS = 10_000;

/** Thrown where a value goes over the limit; the encoder then looks for what is to blame. */
export class TooLarge extends Error {
  readonly bytes: number;
  readonly maxBytes: number;

  constructor(bytes: number, maxBytes: number) {
    super("too large");
    this.bytes = bytes;
    this.maxBytes = maxBytes;
  }

  /** Names the text or the memory that alone is over the limit; else no part is to blame, and the whole is named. */
  explain(value: unknown, root: string): UnsupportedValueError {
    const { bytes, maxBytes } = this;
    const found = findWhere(value, root, member, (part) => ownBytes(part) > maxBytes, MOST_PARTS);
    const [path, part] = found ?? [root, value];
    const own = ownBytes(part);
    // Of text only the units are known.
    const size = found === null ? `at least ${bytes}` : typeof part === "string" ? `at least ${own}` : own;
    const kind = `${describe(part)} of ${size} bytes, the limit is ${maxBytes}`;
    return new UnsupportedValueError(UNSUPPORTED, path, kind, `Cannot send ${path}: ${kind}. Send it in parts, or raise payload.maxPayloadBytes.`);
  }
}

function ownBytes(part: unknown): number {
  if (typeof part === "string") return part.length;
  return part instanceof ArrayBuffer || ArrayBuffer.isView(part) ? part.byteLength : 0;
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  const name = constructorName(Object.getPrototypeOf(value) as object | null);
  return name === "" ? "object" : name;
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

/** `path.key`, or `path["any key"]`. */
function member(path: string, key: string): string {
  return IDENTIFIER.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function find(value: unknown, path: string, seen: Set<object>, shared: SharedMemoryWriter | null): Refused | null {
  if (typeof value === "function") {
    const kind = value.name === "" ? "function" : `function ${value.name}`;
    return { code: FUNCTION, path, kind, advice: "Functions stay where they were made; send what the function needs instead." };
  }
  if (typeof value === "symbol") {
    if (Symbol.keyFor(value) !== undefined) return null;
    return { code: SYMBOL, path, kind: `local symbol ${String(value)}`, advice: "Only symbols of Symbol.for() can be sent." };
  }
  if (typeof value !== "object" || value === null || seen.has(value)) return null;
  seen.add(value);
  const walk = (item: unknown, at: string): Refused | null => find(item, at, seen, shared);
  const prototype = Object.getPrototypeOf(value) as object | null;
  const kind = classify(value, prototype);
  try {
    const memory = kind === KIND_UNSUPPORTED || kind === KIND_SHARED_ARRAY_BUFFER || (kind > KIND_BINARY && isSharedView(value));
    if (memory) return shared?.takes(value) === true ? null : unsupported(value, path);
    return inside(value, kind, path, walk) ?? null;
  } catch {
    return { code: UNREADABLE, path, kind: `${describe(value)} that cannot be read`, advice: "It is detached, revoked, or not what its prototype says." };
  }
}

type Walk = (item: unknown, path: string) => Refused | null;

function inside(value: object, kind: number, path: string, walk: Walk): Refused | null | undefined {
  switch (kind) {
    case KIND_PLAIN: {
      const keys = Object.keys(value);
      if (keys.length > MAX_SHAPE_KEYS) {
        const size = `object with ${keys.length} keys, the limit is ${MAX_SHAPE_KEYS}`;
        return { code: UNSUPPORTED, path, kind: size, advice: "Send a Map." };
      }
      return first(keys, (key) => walk((value as Record<string, unknown>)[key], member(path, key)));
    }
    case KIND_ARRAY: {
      const array = value as unknown[];
      return first(Object.keys(array), (key) => walk(array[Number(key)], `${path}[${key}]`));
    }
    case KIND_MAP: {
      let i = 0;
      for (const [key, item] of Map.prototype.entries.call(value) as MapIterator<[unknown, unknown]>) {
        const found = walk(key, `${path}.keys()[${i}]`) ?? walk(item, typeof key === "string" ? `${path}.get(${JSON.stringify(key)})` : `${path}.values()[${i}]`);
        if (found !== null) return found;
        i++;
      }
      return null;
    }
    case KIND_SET: {
      let i = 0;
      for (const item of Set.prototype.values.call(value) as SetIterator<unknown>) {
        const found = walk(item, `${path}.values()[${i}]`);
        if (found !== null) return found;
        i++;
      }
      return null;
    }
    case KIND_ENVELOPE:
      return first(["header", "body"], (key) => walk((value as Record<string, unknown>)[key], member(path, key)));
    case KIND_DATE:
      Date.prototype.getTime.call(value);
      return null;
    case KIND_REGEXP:
    case KIND_URL:
      // Read for the exception that a fake throws.
      return void Reflect.get(value, kind === KIND_URL ? "href" : "source", value);
    default:
      return kind >= KIND_BINARY ? binary(value, path) : insideError(value as Error, path, walk);
  }
}

function insideError(error: Error, path: string, walk: Walk): Refused | null {
  const own = Object.keys(error).filter((key) => !ERROR_FIELDS.has(key));
  return first(["cause", "code", "errors", ...own], (key) => walk((error as unknown as Record<string, unknown>)[key], member(path, key)));
}

function binary(value: object, path: string): Refused | null {
  const view = ArrayBuffer.isView(value);
  const buffer = view ? value.buffer : (value as ArrayBuffer);
  if ((buffer as { detached?: boolean }).detached !== true && buffer.byteLength >= 0) return null;
  return { code: UNREADABLE, path, kind: `${describe(value)} whose memory is detached`, advice: "Send it before its buffer is transferred." };
}

function unsupported(value: object, path: string): Refused {
  const name = describe(value);
  if ((value as { closed?: unknown }).closed === true && name === "ProcessSharedBuffer") {
    return { code: UNREADABLE, path, kind: `${name} that was closed`, advice: "Send it before close()." };
  }
  if (isSharedBuffer(value) && value.byteLength > MAX_SHARED_BYTES) {
    return { code: UNSUPPORTED, path, kind: `${name} of 4 GiB or more`, advice: "Send one that is smaller." };
  }
  if (isSharedView(value)) {
    return { code: UNSUPPORTED, path, kind: `${name} of a SharedArrayBuffer`, advice: "It can go to thread workers only; use a ProcessSharedBuffer, or send a copy." };
  }
  if (value instanceof Promise) return { code: UNSUPPORTED, path, kind: "Promise", advice: "Await it before sending." };
  if (name === "SharedArrayBuffer") {
    return { code: UNSUPPORTED, path, kind: name, advice: "It can go to thread workers only; use a ProcessSharedBuffer." };
  }
  const builtin = typeof (globalThis as unknown as Record<string, unknown>)[name] === "function";
  const kind = builtin ? name : `instance of ${name}`;
  return { code: UNSUPPORTED, path, kind, advice: builtin ? "This type cannot be sent." : "Classes of one's own cannot be sent; send a plain object." };
}

function first<T>(items: Iterable<T>, each: (item: T) => Refused | null): Refused | null {
  for (const item of items) {
    const found = each(item);
    if (found !== null) return found;
  }
  return null;
}
