/**
 * Writing arrays of numbers.
 *
 * There are two loops, alike, because engines store arrays of integers and of fractions differently, and a call site that has seen few kinds of
 * arrays is several times faster. `TypedArray.prototype.set` is slower than either in V8, and would run the code of items that are no numbers.
 */
import { HI_ARRAY_NUMBERS, HI_HEAD, NAN_HI } from "./format.ts";
import type { ByteBuffer } from "./buffer.ts";

/** Longer arrays are left to the general path, which makes room in steps. */
const MAX_ROOT = 4096;

/** Writes the numbers from index `i` up to the first item that is none into the slots from `p`; returns how many. */
export function putIntegers(f64: Float64Array, value: readonly unknown[], i: number, end: number, p: number): number {
  const start = p;
  let sum = 0;
  for (; i < end; i++, p++) {
    const item = value[i];
    if (typeof item !== "number") break;
    f64[p] = item;
    sum += item;
  }
  if (sum !== sum) canonicalise(f64, start, p);
  return p - start;
}

/** As `putIntegers`. */
export function putFractions(f64: Float64Array, value: readonly unknown[], i: number, end: number, p: number): number {
  const start = p;
  let sum = 0;
  for (; i < end; i++, p++) {
    const item = value[i];
    if (typeof item !== "number") break;
    f64[p] = item;
    sum += item;
  }
  if (sum !== sum) canonicalise(f64, start, p);
  return p - start;
}

/** Gives every NaN its canonical bits. A sum is NaN if a summand is: the loops above test only that. */
function canonicalise(f64: Float64Array, from: number, to: number): void {
  const i32 = new Int32Array(f64.buffer, f64.byteOffset + from * 8, (to - from) * 2);
  for (let i = 0; i < i32.length; i += 2) {
    if (f64[from + (i >>> 1)] === f64[from + (i >>> 1)]) continue;
    i32[i] = 0;
    i32[i + 1] = NAN_HI;
  }
}

/** An array of numbers that is a message by itself; 0 if it is none, or long: then nothing that was written counts. */
export function encodeNumbers(value: readonly unknown[], out: ByteBuffer, at: number): number {
  const n = value.length;
  if (n === 0 || n > MAX_ROOT || out.byteLength < at + 16 + 8 * n) return 0;
  const first = value[0];
  if (typeof first !== "number") return 0;
  const { f64, i32 } = out;
  const p = (at >>> 3) + 2;
  const numbers = (first | 0) === first ? putIntegers(f64, value, 0, n, p) : putFractions(f64, value, 0, n, p);
  if (numbers !== n) return 0;
  const word = at >>> 2;
  i32[word] = 16 + 8 * n;
  i32[word + 1] = HI_HEAD;
  i32[word + 2] = n;
  i32[word + 3] = HI_ARRAY_NUMBERS;
  return at + 16 + 8 * n;
}
