/**
 * The rarer halves of what the encoder does itself: big bigints, arrays with holes, strings in blocks.
 */
import { HEAD_BLOCKS, HI_ARRAY_HOLEY, HI_BIGINT, HI_HOLES, HI_STRING_BLOCK, TEXT_ASCII, TEXT_UTF16, TEXT_UTF8 } from "./format.ts";
import { isWellFormed } from "./text.ts";
import type { Writer } from "./writer.ts";

/** Above this many limbs hexadecimal digits are cheaper than shifts, which copy what is left at every step. */
const SHIFTED_LIMBS = 16;
/** A run of holes of this length makes the rest be found by the array's own keys. */
const LONG_RUN = 1024;

/** A bigint that does not fit 64 bits. Room for two slots was made. */
export function putBigInt(e: Writer, value: bigint, p: number): number {
  const negative = value < 0n ? 1 : 0;
  let rest = negative === 1 ? -value : value;
  const high = rest >> 64n;
  if (BigInt.asUintN(64, high) === high) {
    // One or two limbs: storing one takes its low 64 bits.
    e.reserve(p + 3 + e.owed);
    const big64 = e.out.big64;
    big64[p + 1] = rest;
    big64[p + 2] = high;
    const limbs = high === 0n ? 1 : 2;
    e.slot(HI_BIGINT + negative, limbs, p);
    return p + 1 + limbs;
  }
  const head = p++;
  const shifts = rest >> BigInt(64 * SHIFTED_LIMBS) === 0n;
  if (shifts) {
    e.reserve(p + SHIFTED_LIMBS + e.owed);
    const big64 = e.out.big64;
    for (; rest !== 0n; p++) {
      big64[p] = rest;
      rest >>= 64n;
    }
  } else {
    const digits = rest.toString(16);
    e.reserve(p + Math.ceil(digits.length / 16) + e.owed);
    for (let end = digits.length; end > 0; end -= 16, p++) {
      const low = digits.slice(Math.max(end - 8, 0), end);
      const high = end > 8 ? digits.slice(Math.max(end - 16, 0), end - 8) : "0";
      e.i32[p * 2] = parseInt(low, 16);
      e.i32[p * 2 + 1] = parseInt(high, 16);
    }
  }
  e.slot(HI_BIGINT + negative, p - head - 1, head);
  return p;
}

/** Goes on with an array whose item `i` is a hole; `head` is its tag, and `p` the next slot. The array was entered. */
export function putHoley(e: Writer, value: readonly unknown[], i: number, head: number, p: number): number {
  const n = value.length;
  let entries = i;
  let indices: number[] | null = null;
  let next = 0;
  while (i < n) {
    e.reserve(p + 2 + e.owed);
    const item = value[i];
    if (item !== undefined || Object.hasOwn(value, i)) {
      p = e.put(item, p);
      i++;
    } else {
      let end = i + 1;
      const near = Math.min(n, i + LONG_RUN);
      if (indices === null) while (end < near && !Object.hasOwn(value, end)) end++;
      if (indices !== null || (end === near && near < n)) {
        indices ??= indicesOf(value);
        while (next < indices.length && indices[next] <= i) next++;
        end = next < indices.length ? Math.min(indices[next], n) : n;
      }
      p = e.slot(HI_HOLES, end - i, p);
      i = end;
    }
    entries++;
  }
  e.slot(HI_ARRAY_HOLEY, entries, head);
  e.depth--;
  return p;
}

/** The indices that exist, ascending: they come first among an object's keys. */
function indicesOf(value: readonly unknown[]): number[] {
  const indices: number[] = [];
  for (const key of Object.keys(value)) {
    const index = Number(key);
    if (!(index >= 0 && index < value.length && String(index) === key)) break;
    indices.push(index);
  }
  return indices;
}

/** A string that is long enough for a block. Falls back to the message's text. */
export function putStringBlock(e: Writer, value: string, p: number): number {
  e.checkBytes(value.length);
  e.reserve(p + 3 + e.owed);
  const blocks = e.blocks!;
  const words = (p + 1) * 2;
  let kind = TEXT_ASCII;
  let window = blocks.open(value.length, e.i32, words);
  if (window === null) return e.text(value, p);
  let result = utf8.encodeInto(value, window);
  if (result.written !== value.length || result.read !== value.length) {
    blocks.cancel();
    kind = isWellFormed(value) ? TEXT_UTF8 : TEXT_UTF16;
    const bytes = kind === TEXT_UTF8 ? utf8.encode(value) : utf16Bytes(value);
    window = blocks.open(bytes.length, e.i32, words);
    if (window === null) return e.text(value, p);
    window.set(bytes);
    result = { read: value.length, written: bytes.length };
  }
  e.headBits |= HEAD_BLOCKS;
  e.outside += result.written;
  e.slot(HI_STRING_BLOCK + kind, value.length, p);
  e.slot(0, result.written, p + 2);
  return p + 3;
}

const utf8 = new TextEncoder();

function utf16Bytes(value: string): Uint8Array {
  const units = new Uint16Array(value.length);
  for (let i = 0; i < value.length; i++) units[i] = value.charCodeAt(i);
  return new Uint8Array(units.buffer);
}
