/**
 * Code generated per shape, where the runtime allows it.
 *
 * A reader of one shape's properties and a literal of one shape are the fastest way in and out of objects, because every access has its
 * own inline cache. Where `new Function` is forbidden (`--disallow-code-generation-from-strings`, a content policy) closures do the same
 * work. Keys come from the other side's memory: they enter the source only as JSON string literals, `__proto__` as a computed key.
 */
import type { Decoder } from "./decode.ts";
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

export function loopWriter(keys: readonly string[]): ShapeValuesWriter {
  return (e, o, p) => {
    for (let i = 0; i < keys.length; i++) p = e.put(o[keys[i]!], p);
    return p;
  };
}

export function compileFactory(keys: readonly string[]): ShapeFactory | null {
  if (make === null || keys.length > MAX_COMPILED_KEYS) return null;
  let fields = "";
  for (const key of keys) {
    const name = JSON.stringify(key);
    fields += `${key === "__proto__" ? `[${name}]` : name}: d.value(),`;
  }
  return make("d", `"use strict"; return {${fields}};`) as ShapeFactory;
}
