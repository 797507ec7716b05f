/**
 * The text of a message: all its strings, one after the other, in one encoding.
 *
 * Writing: short text goes byte by byte, longer text through the runtime's UTF-8 writer, whose count of bytes tells ASCII from the rest. A
 * string with a lone surrogate sends the whole text as UTF-16.
 */
import { TEXT_ASCII, TEXT_UTF16, TEXT_UTF8 } from "./format.ts";
import { LOOP_WRITE_UNITS, nativeWrite } from "./native-text.ts";
import type { ByteBuffer } from "./buffer.ts";

/** Many strings are written by a loop if they have no more units than this on average: joining them costs more. */
const LOOP_AVERAGE = 6;

const encoder = new TextEncoder();

interface MaybeWellFormed {
  isWellFormed(): boolean;
}

/** Whether `s` has no lone surrogate. */
export function isWellFormed(s: string): boolean {
  return (s as unknown as MaybeWellFormed).isWellFormed();
}

/** Whether each of the strings is well-formed by itself. */
function areWellFormed(strings: readonly string[], count: number): boolean {
  for (let i = 0; i < count; i++) if (!isWellFormed(strings[i])) return false;
  return true;
}

/** Longer strings are not written by `writeString`. */
const MAX_STRING = 4096;

/** Writes one string of ASCII from byte `at`; returns its end, or -1 if it is none, it is long, or there is no room for it. */
export function writeString(out: ByteBuffer, at: number, text: string): number {
  const { length } = text;
  if (length > LOOP_WRITE_UNITS) return writeNative(out, at, text);
  if (out.byteLength - at < length) return -1;
  const { u8 } = out;
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    seen |= unit;
    u8[at + i] = unit;
  }
  return seen < 0x80 ? at + length : -1;
}

function writeNative(out: ByteBuffer, at: number, text: string): number {
  const { length } = text;
  const room = out.byteLength - at;
  if (nativeWrite === null || length > MAX_STRING || room < length * 3) return -1;
  return nativeWrite.call(out.u8, text, at, room) === length ? at + length : -1;
}

/** Set by the last `writeText`: which encoding it chose. */
export let encoding = TEXT_ASCII;

/** Writes the strings from byte `at` of `out`; returns the end. `units` is the sum of their lengths. */
export function writeText(out: ByteBuffer, at: number, strings: readonly string[], count: number, units: number): number {
  encoding = TEXT_ASCII;
  if (units === 0) return at;
  if (out.byteLength < at + units) out.grow(at + units);
  if (units <= LOOP_WRITE_UNITS || (count > 1 && units <= count * LOOP_AVERAGE)) {
    const end = writeAscii(out.u8, at, strings, count);
    if (end >= 0) return end;
  }
  return writeJoined(out, at, strings, count, units);
}

/** Writes ASCII; -1 if it is none. */
function writeAscii(u8: Uint8Array, at: number, strings: readonly string[], count: number): number {
  let seen = 0;
  for (let k = 0; k < count; k++) {
    const s = strings[k];
    for (let i = 0; i < s.length; i++) {
      const unit = s.charCodeAt(i);
      seen |= unit;
      u8[at++] = unit;
    }
  }
  return seen < 0x80 ? at : -1;
}

function writeJoined(out: ByteBuffer, at: number, strings: readonly string[], count: number, units: number): number {
  let text = strings[0];
  for (let i = 1; i < count; i++) text += strings[i];
  let written = writeUtf8(out, at, text);
  if (written === units) return at + units;
  if (!areWellFormed(strings, count)) return writeUtf16(out, at, text);
  if (written < 0) {
    out.grow(at + units * 3);
    written = writeUtf8(out, at, text);
  }
  encoding = TEXT_UTF8;
  return at + written;
}

/** Bytes written, which are as many as the units if, and only if, all is ASCII; -1 if there was no room for all. */
function writeUtf8(out: ByteBuffer, at: number, text: string): number {
  const room = out.byteLength - at;
  if (nativeWrite !== null && room >= text.length * 3) return nativeWrite.call(out.u8, text, at, room);
  const { read, written } = encoder.encodeInto(text, out.u8.subarray(at, out.byteLength));
  return read === text.length ? written : -1;
}

function writeUtf16(out: ByteBuffer, at: number, text: string): number {
  const bytes = text.length * 2;
  if (out.byteLength < at + bytes) out.grow(at + bytes);
  const units = new Uint16Array(out.u8.buffer, out.u8.byteOffset + at, text.length);
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  encoding = TEXT_UTF16;
  return at + bytes;
}
