/**
 * Code generated per shape, where the runtime allows it.
 *
 * A reader of one shape's properties and a literal of one shape are the fastest way in and out of objects, because every access has its
 * own inline cache. Where `new Function` is forbidden (`--disallow-code-generation-from-strings`, a content policy) closures do the same
 * work. Keys come from the other side's memory: they enter the source only as JSON string literals, `__proto__` as a computed key.
 */
import { HI_FALSE, HI_HEAD, HI_NULL, HI_OBJECT_SHARED, HI_STRING, HI_TRUE, HI_UNDEFINED } from "./format.ts";
import { writeString } from "./text.ts";
import type { ByteBuffer } from "./buffer.ts";
import type { Decoder } from "./decode.ts";
import type { Shape } from "./shape-cache.ts";
import type { Writer } from "./writer.ts";

/** Writes the values of `o`, in the order of the shape's keys, from slot `p`; returns the slot after the last. */
export type ShapeValuesWriter = (e: Writer, o: Record<string, unknown>, p: number) => number;
/** Reads a value for each key and makes the object. */
export type ShapeFactory = (d: Decoder) => object;

/** Shapes with more keys are handled by a loop: their code would be large and rarely worth it. */
export const MAX_COMPILED_KEYS = 64;

type FunctionMaker = (...parts: string[]) => unknown;

function probe(): FunctionMaker | null {
  try {
    const make: FunctionMaker = (...parts) => new Function(...parts);
    return (make("return 1") as () => number)() === 1 ? make : null;
  } catch {
    return null;
  }
}
const make = probe();

/** Whether this runtime lets us generate code. */
export const canCompile = make !== null;

export function compileWriter(keys: readonly string[]): ShapeValuesWriter | null {
  if (make === null || keys.length > MAX_COMPILED_KEYS) return null;
  let body = `"use strict"; let v;`;
  for (const key of keys) {
    // What Writer.put does, in place: a call per property is what costs most.
    body += `v = o[${JSON.stringify(key)}];
      if (typeof v === "number" && v === v) e.f64[p++] = v;
      else p = typeof v === "string" ? e.string(v, p) : e.putRest(v, p);`;
  }
  return make("e", "o", "p", `${body} return p;`) as ShapeValuesWriter;
}

/**
 * Writes an object that is a message by itself, if all its values are numbers, short ASCII strings, booleans, null or undefined: then the place of its
 * text is known beforehand, nothing has to be remembered, and no other object can be met. Returns the message's end, or one of the two below.
 */
export type FlatWriter = (o: Record<string, unknown>, out: ByteBuffer, at: number, e: Writer) => number;
/** It has other keys, and nothing was read. */
export const OTHER_SHAPE = 0;
/** Some value is of another kind. All were read, once, and are left in `Writer.spilled`. */
export const NOT_FLAT = -1;

/** Flat objects have few properties, else looking at each kind of value costs too much code. */
const MAX_FLAT_KEYS = 16;
/** Objects of a shape that are not flat before that shape is left alone. */
const MAX_SPILLS = 16;

/** Writes what is neither a number nor a string; false if it is not flat. */
function putFlag(i32: Int32Array, word: number, value: unknown): boolean {
  let hi: number;
  if (value === true) hi = HI_TRUE;
  else if (value === false) hi = HI_FALSE;
  else if (value === null) hi = HI_NULL;
  else if (value === undefined) hi = HI_UNDEFINED;
  else return false;
  i32[word] = 0;
  i32[word + 1] = hi;
  return true;
}

/** For a shape in the shared table. */
export function compileFlat(shape: Shape): FlatWriter | null {
  const { keys, shared } = shape;
  const n = keys.length;
  if (make === null || n === 0 || n > MAX_FLAT_KEYS) return null;
  let spills = 0;
  const spill = (e: Writer, values: readonly unknown[]): number => {
    e.spilled = values;
    if (++spills > MAX_SPILLS) shape.flat = null;
    return NOT_FLAT;
  };
  const names = keys.map((_, i) => `v${i}`);
  const textAt = 16 + 8 * n;
  // A key that every object inherits would look like its own to `for in`: the last key of a shape that is met by mistake is such a one.
  let body = `let i = 0;
    for (const key in o) if (key !== keys[i++]) return ${OTHER_SHAPE};
    if (i !== ${n} || ${JSON.stringify(keys[n - 1])} in prototype) return ${OTHER_SHAPE};
    const ${keys.map((key, k) => `v${k} = o[${JSON.stringify(key)}]`).join(", ")};
    if (out.byteLength < at + ${textAt}) return spill(e, [${names.join()}]);
    const { i32, f64 } = out; const slot = at >>> 3, word = at >>> 2; let text = at + ${textAt};`;
  for (const [k, v] of names.entries()) {
    body += `if (typeof ${v} === "number" && ${v} === ${v}) f64[slot + ${k + 2}] = ${v};
      else if (typeof ${v} === "string") {
        i32[word + ${2 * k + 4}] = ${v}.length; i32[word + ${2 * k + 5}] = ${HI_STRING};
        if ((text = writeString(out, text, ${v})) < 0) return spill(e, [${names.join()}]);
      } else if (!putFlag(i32, word + ${2 * k + 4}, ${v})) return spill(e, [${names.join()}]);`;
  }
  body += `if (text - at > e.limits.maxBytes) return spill(e, [${names.join()}]);
    i32[word] = ${textAt}; i32[word + 1] = ${HI_HEAD}; i32[word + 2] = ${shared}; i32[word + 3] = ${HI_OBJECT_SHARED};
    return text;`;
  const maker = make("keys", "prototype", "writeString", "putFlag", "spill", `"use strict"; return (o, out, at, e) => { ${body} };`);
  return (maker as (...parts: unknown[]) => FlatWriter)(keys, Object.prototype, writeString, putFlag, spill);
}

export function loopWriter(keys: readonly string[]): ShapeValuesWriter {
  return (e, o, p) => {
    for (let i = 0; i < keys.length; i++) p = e.put(o[keys[i]!], p);
    return p;
  };
}

/**
 * `sample`: an object of the shape. What is a number or a string in it is probably one in others, too, and is then read in place; everything else by
 * the decoder.
 */
export function compileFactory(keys: readonly string[], sample: Record<string, unknown>): ShapeFactory | null {
  if (make === null || keys.length > MAX_COMPILED_KEYS) return null;
  let values = "";
  let fields = "";
  for (const [i, key] of keys.entries()) {
    const name = JSON.stringify(key);
    const kind = typeof sample[key];
    const other = `{ d.p = p; v${i} = d.value(); p = d.p; }`;
    values += `let v${i};`;
    if (kind === "number") {
      values += `if (p < d.end && (x = f64[p]) === x) { v${i} = (n = x | 0) === x && (n !== 0 || 1 / x > 0) ? n : x; p++; } else ${other}`;
    } else if (kind === "string") {
      values += `if (p < d.end && i32[p * 2 + 1] === ${HI_STRING}) { v${i} = text.take(i32[p * 2]); p++; } else ${other}`;
    } else {
      values += other;
    }
    fields += `${key === "__proto__" ? `[${name}]` : name}: v${i},`;
  }
  return make("d", `"use strict"; const { f64, i32, text } = d; let p = d.p, x = 0, n = 0; ${values} d.p = p; return {${fields}};`) as ShapeFactory;
}
