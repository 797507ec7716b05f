/**
 * The golden vectors' way to write values down, in both directions. `knit-codec/examples/vectors/notation.rs` describes it.
 *
 * Payloads in blocks have no bytes in the vectors: their content is made up here from length and encoding.
 */
import { BINARY_BUFFER, BINARY_DATA_VIEW, ERROR_CLASS_NAMES, SHARED_VIEW, TYPED_ARRAY_NAMES } from "../../ts/codec/format.ts";
import { Envelope } from "../../ts/api/envelope.ts";
import type { BlockReader, BlockWriter, SharedMemory, SharedMemoryReader, SharedMemoryWriter } from "../../ts/codec/hooks.ts";

export type Notation = null | boolean | number | string | Notation[] | { [field: string]: Notation };
type Built = Record<string, unknown>;

/** Stands for memory that both sides see. */
export class Shared {
  readonly memory: SharedMemory;
  constructor(memory: SharedMemory) {
    this.memory = memory;
  }
}

/** By the number in the message. */
const SHARED_KINDS = ["ProcessSharedBuffer", "SharedArrayBuffer"];
SHARED_KINDS[SHARED_VIEW + BINARY_DATA_VIEW] = "DataView";
TYPED_ARRAY_NAMES.forEach((name, kind) => {
  if (name !== undefined) SHARED_KINDS[SHARED_VIEW + kind] = name;
});
SHARED_KINDS[SHARED_VIEW + BINARY_BUFFER] = "Buffer";
const classes = globalThis as unknown as Record<string, new (...args: unknown[]) => object>;

function words(locator: string): { lo: number; hi: number } {
  return { hi: parseInt(locator.slice(0, 8), 16) | 0, lo: parseInt(locator.slice(8), 16) | 0 };
}

function locator(lo: number, hi: number): string {
  return [hi, lo].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function blockText(encoding: Notation, units: number, bytes: number): string {
  if (encoding === "utf16") return "\ud800".repeat(units);
  return "é".repeat(bytes - units) + "x".repeat(units - (bytes - units));
}

function utf16(text: string): Uint8Array {
  return new Uint8Array(Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)).buffer);
}

/** Blocks as the vectors name them. */
export class Blocks implements BlockWriter, BlockReader {
  readonly minBytes: number = 5;
  readonly locators: string[] = [];
  readonly contents = new Map<string, Uint8Array>();
  readonly taken = new Map<ArrayBuffer, string>();
  #next = 0;

  open(bytes: number, words: Int32Array, index: number): Uint8Array | null;
  open(lo: number, hi: number, length: number): Uint8Array;
  open(first: number, second: Int32Array | number, third: number): Uint8Array | null {
    if (typeof second === "number") {
      const content = this.contents.get(`${locator(first, second)} ${third}`);
      if (content === undefined) throw new Error("a block that was not named");
      return content;
    }
    const { lo, hi } = words(this.locators[this.#next++]);
    second[third] = lo;
    second[third + 1] = hi;
    return new Uint8Array(first);
  }
  cancel(): void {
    this.#next--;
  }
  discard(): void {
    this.#next = 0;
  }
  take(lo: number, hi: number, length: number): ArrayBuffer {
    const buffer = new ArrayBuffer(length);
    this.taken.set(buffer, locator(lo, hi));
    return buffer;
  }
  release(): void {}
}

export const sharedHook: SharedMemoryReader & SharedMemoryWriter = {
  takes: (value) => value instanceof Shared,
  describe: (value) => (value instanceof Shared ? value.memory : null),
  discard() {},
  open: (memory) => new Shared(memory),
};

/** Makes the value; `blocks` learns the locators it names. */
export function build(notation: Notation, blocks: Blocks): unknown {
  const numbered: unknown[] = [];
  const number = <T>(value: T): T => {
    numbered.push(value);
    return value;
  };
  const fill = (object: object, entries: Notation[]): object => {
    for (const entry of entries as [Notation, Notation][]) {
      const [key, value] = entry;
      Object.defineProperty(object, make(key) as string, { value: make(value), writable: true, enumerable: true, configurable: true });
    }
    return object;
  };
  function make(n: Notation): unknown {
    if (!Array.isArray(n)) return n;
    const [tag, ...rest] = n as [string, ...Notation[]];
    const [a, b, c, d] = rest;
    switch (tag) {
      case "undefined":
        return undefined;
      case "number":
        return Number(a);
      case "bigint": {
        const digits = a as string;
        return digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits);
      }
      case "string":
        return (a as number[]).map((unit) => String.fromCharCode(unit)).join("");
      case "symbol":
        return Symbol.for(make(a) as string);
      case "date":
        return number(new Date(Number(a)));
      case "object":
        return fill(number({}), rest);
      case "null-object":
        return fill(number(Object.create(null) as object), rest);
      case "array": {
        const array: unknown[] = number([]);
        for (const item of rest) {
          if (Array.isArray(item) && item[0] === "holes") array.length += item[1] as number;
          else array.push(make(item));
        }
        return array;
      }
      case "map": {
        const map = number(new Map<unknown, unknown>());
        for (const entry of rest as [Notation, Notation][]) {
          const key = make(entry[0]);
          map.set(key, make(entry[1]));
        }
        return map;
      }
      case "set": {
        const set = number(new Set<unknown>());
        for (const item of rest) set.add(make(item));
        return set;
      }
      case "regexp":
        return number(Object.assign(new RegExp(make(a) as string, b as string), { lastIndex: c ?? 0 }));
      case "url":
        return number(new URL(a as string));
      case "binary":
        return number(binary(a as string, Uint8Array.from((b as string).match(/../g) ?? [], (byte) => parseInt(byte, 16)).buffer));
      case "binary-block":
        blocks.locators.push(c as string);
        return number(binary(a as string, new ArrayBuffer(b as number)));
      case "string-block": {
        const text = blockText(a, b as number, c as number);
        blocks.locators.push(d as string);
        blocks.contents.set(`${d as string} ${c as number}`, a === "utf16" ? utf16(text) : new TextEncoder().encode(text));
        return text;
      }
      case "error":
        return makeError(a as string, b as { [field: string]: Notation });
      case "shared-memory":
        return number(new Shared({ kind: SHARED_KINDS.indexOf(a as string), byteLength: b as number, byteOffset: c as number, ...words(d as string) }));
      case "envelope": {
        const envelope = number(new Envelope<unknown, unknown>(null, null)) as { header: unknown; body: unknown };
        envelope.header = make(a);
        envelope.body = make(b);
        return envelope;
      }
      case "ref":
        return numbered[a as number];
      default:
        throw new Error(`notation ${tag}`);
    }
  }
  function makeError(name: string, fields: { [field: string]: Notation }): Error {
    const error = (name === "AggregateError" ? new AggregateError([]) : new classes[name]()) as Error & Built;
    delete error.stack;
    delete (error as Built)["errors"];
    number(error);
    for (const field of ["name", "message", "stack", "cause", "code", "errors"]) {
      if (!(field in fields)) continue;
      const enumerable = field === "name" || field === "code";
      Object.defineProperty(error, field, { value: make(fields[field]), writable: true, enumerable, configurable: true });
    }
    if ("properties" in fields) {
      number({});
      fill(error, (fields["properties"] as Notation[]).slice(1));
    }
    return error;
  }
  return make(notation);
}

function binary(name: string, buffer: ArrayBuffer): object {
  if (name === "ArrayBuffer") return buffer;
  if (name === "Buffer") return (classes["Buffer"] as unknown as { from(b: ArrayBuffer): object }).from(buffer);
  return new classes[name](buffer);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Writes the value down. */
export function notate(root: unknown, blocks: Blocks): Notation {
  const numbers = new Map<unknown, number>();
  let next = 0;
  function string(text: string): Notation {
    const wellFormed = (text as unknown as { isWellFormed(): boolean }).isWellFormed();
    return wellFormed ? text : ["string", Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))];
  }
  const entries = (object: object): Notation[] => Object.entries(object).map(([key, value]) => [string(key), note(value)]);
  function note(value: unknown): Notation {
    switch (typeof value) {
      case "undefined":
        return ["undefined"];
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) && !Object.is(value, -0) ? value : ["number", Object.is(value, -0) ? "-0" : String(value)];
      case "bigint":
        return ["bigint", String(value)];
      case "string":
        return string(value);
      case "symbol":
        return ["symbol", string(Symbol.keyFor(value)!)];
      default:
    }
    if (value === null) return null;
    const known = numbers.get(value);
    if (known !== undefined) return ["ref", known];
    numbers.set(value, next++);
    return noteObject(value as object);
  }
  function noteObject(value: object): Notation {
    if (Array.isArray(value)) return ["array", ...items(value as unknown[])];
    if (value instanceof Date) return ["date", Number.isNaN(value.getTime()) ? "NaN" : value.getTime()];
    if (value instanceof Map) return ["map", ...Array.from(value as Map<unknown, unknown>, ([k, v]) => [note(k), note(v)])];
    if (value instanceof Set) return ["set", ...Array.from(value as Set<unknown>, note)];
    if (value instanceof RegExp) return ["regexp", string(value.source), value.flags, ...(value.lastIndex === 0 ? [] : [value.lastIndex])];
    if (value instanceof URL) return ["url", value.href];
    if (value instanceof Envelope) return ["envelope", note(value.header), note(value.body)];
    if (value instanceof Shared) {
      const { kind, byteLength, byteOffset, lo, hi } = value.memory;
      return ["shared-memory", SHARED_KINDS[kind], byteLength, byteOffset, locator(lo, hi)];
    }
    if (value instanceof Error) return noteError(value as Error & Built);
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const buffer = (value instanceof ArrayBuffer ? value : value.buffer) as ArrayBuffer;
      const block = blocks.taken.get(buffer);
      const name = (value.constructor as { name: string }).name;
      return block === undefined ? ["binary", name, hex(new Uint8Array(buffer))] : ["binary-block", name, buffer.byteLength, block];
    }
    return [Object.getPrototypeOf(value) === null ? "null-object" : "object", ...entries(value)];
  }
  function items(array: unknown[]): Notation[] {
    const noted: Notation[] = [];
    let at = 0;
    for (const key of Object.keys(array)) {
      const index = Number(key);
      if (index > at) noted.push(["holes", index - at]);
      noted.push(note(array[index]));
      at = index + 1;
    }
    if (array.length > at) noted.push(["holes", array.length - at]);
    return noted;
  }
  function noteError(error: Error & Built): Notation {
    const name = ERROR_CLASS_NAMES.find((candidate) => Object.getPrototypeOf(error) === classes[candidate].prototype)!;
    const fields: { [field: string]: Notation } = {};
    const standard = ["name", "message", "stack", "cause", "code", "errors"];
    for (const field of standard) if (Object.hasOwn(error, field)) fields[field] = note(error[field]);
    const rest = Object.keys(error).filter((key) => !standard.includes(key));
    if (rest.length > 0) {
      next++;
      fields["properties"] = ["object", ...rest.map((key): Notation => [string(key), note(error[key])])];
    }
    return ["error", name, fields];
  }
  return note(root);
}
