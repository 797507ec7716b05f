/**
 * Reading packed arrays of numbers.
 *
 * Engines keep arrays of small integers, of fractions and of anything apart. Copying a packed array of the right kind and overwriting it is the
 * fastest way to make one: it has its size at once, and no holes.
 */
import { bad } from "./errors.ts";
import type { Decoder } from "./decode.ts";

/** Arrays up to this length are made from a template. */
export const TEMPLATE = 1024;
const ZEROS = filled(0);
const HALVES = filled(0.5);

/** Made by doubling: engines take an array of a given length for one that may have holes, and to append one by one takes every thread a millisecond when it starts. */
export function filled<T>(item: T): readonly T[] {
  let array: T[] = [item];
  while (array.length < TEMPLATE) array = array.concat(array);
  return array;
}

export function readNumbers(d: Decoder, n: number): number[] {
  if (n === 0) throw bad("an empty array of numbers");
  d.need(n);
  const { f64, p } = d;
  d.p = p + n;
  const first = f64[p];
  let array: number[] | null = null;
  if (n > TEMPLATE) array = many(f64, p, n);
  else if ((first | 0) === first) array = integers(f64, p, n);
  array ??= fractions(f64, p, n);
  d.refs?.push(array);
  return array;
}

/** Null if they are not all small integers. */
function integers(f64: Float64Array, p: number, n: number): number[] | null {
  const array = ZEROS.slice(0, n);
  for (let i = 0; i < n; i++) {
    const number = f64[p + i];
    const integer = number | 0;
    if (integer !== number || (integer === 0 && 1 / number < 0)) return null;
    array[i] = integer;
  }
  return array;
}

function fractions(f64: Float64Array, p: number, n: number): number[] {
  const array = HALVES.slice(0, n);
  let i = 0;
  for (const whole = n - 3; i < whole; i += 4) {
    array[i] = f64[p + i];
    array[i + 1] = f64[p + i + 1];
    array[i + 2] = f64[p + i + 2];
    array[i + 3] = f64[p + i + 3];
  }
  for (; i < n; i++) array[i] = f64[p + i];
  return array;
}

function many(f64: Float64Array, p: number, n: number): number[] {
  const array: number[] = [];
  for (let i = 0; i < n; i++) array.push(f64[p + i]);
  return array;
}
