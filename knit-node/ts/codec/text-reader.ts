/**
 * Reading the text of a message, and cutting it into its strings.
 *
 * A native call to decode text costs about the same whatever the length, and cutting is cheap, so text is decoded in windows of some
 * kilobytes. Engines keep the parent of a cut string alive: the size of a window bounds what one small string can hold.
 */
import { CodecError } from "./errors.ts";
import { TEXT_ASCII, TEXT_UTF16, TEXT_UTF8 } from "./format.ts";
import { NATIVE_SLICE_BYTES, nativeSlice } from "./native-text.ts";

/** Bytes decoded at once when a message has more. */
const WINDOW = 4096;
/** Strings up to this many bytes are looked for among those seen before. */
const INTERN_BYTES = 24;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const REPLACEMENT = "\ufffd";

/** Decodes bytes `from` to `to`; all of them must be whole characters of the encoding. */
export function decodeText(u8: Uint8Array, from: number, to: number, encoding: number): string {
  if (encoding === TEXT_UTF16) return decodeUtf16(u8, from, to);
  const text = nativeSlice !== null && to - from <= NATIVE_SLICE_BYTES ? nativeSlice.call(u8, from, to) : utf8.decode(u8.subarray(from, to));
  if (encoding === TEXT_ASCII) {
    // A unit per byte is ASCII, or bytes that are no UTF-8 at all. The search costs nothing in a string of one byte a unit.
    if (text.length !== to - from || text.includes(REPLACEMENT)) throw new CodecError("BadText", "text is not ASCII");
  } else if (text.includes(REPLACEMENT)) {
    checkUtf8(u8, from, to);
  }
  return text;
}

/** U+FFFD may stand in the text itself, or for bytes that are no UTF-8. */
function checkUtf8(u8: Uint8Array, from: number, to: number): void {
  try {
    strictUtf8.decode(u8.subarray(from, to));
  } catch {
    throw new CodecError("BadText", "text is not UTF-8");
  }
}

function decodeUtf16(u8: Uint8Array, from: number, to: number): string {
  if (((to - from) & 1) !== 0) throw new CodecError("BadText", "UTF-16 text has an odd length");
  const units = new Uint16Array(u8.buffer, u8.byteOffset + from, (to - from) >>> 1);
  let text = "";
  for (let i = 0; i < units.length; i += WINDOW) text += String.fromCharCode(...units.subarray(i, i + WINDOW));
  return text;
}

/**
 * Strings seen before, by a hash of their bytes: the same short strings (names, states, units) arrive again and again, and comparing
 * six words is cheaper than making a string.
 */
const SLOTS = 1024;
const STRIDE = 8;
const internedWords = new Int32Array(SLOTS * STRIDE);
const readWords = new Int32Array(INTERN_BYTES >>> 2);
const readBytes = new Uint8Array(readWords.buffer);
const interned: string[] = new Array<string>(SLOTS).fill("");

/** Decodes up to 24 bytes of ASCII from byte `from`, a multiple of 8. */
function decodeShort(u8: Uint8Array, i32: Int32Array, from: number, length: number): string {
  const word = from >>> 2;
  const whole = length >>> 2;
  let hash = length;
  for (let i = 0; i < whole; i++) hash = Math.imul(hash ^ i32[word + i], 0x9e37_79b1);
  let tail = 0;
  for (let i = whole << 2; i < length; i++) tail = (tail << 8) | u8[from + i];
  hash = Math.imul(hash ^ tail, 0x9e37_79b1);
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const base = slot * STRIDE;
  let same = internedWords[base] === length && internedWords[base + 1] === tail;
  for (let i = 0; same && i < whole; i++) same = internedWords[base + 2 + i] === i32[word + i];
  if (same) return interned[slot];
  return intern(u8, i32, from, length, base);
}

/** What is remembered was read once: a sender that changes the bytes meanwhile must not make others' messages read as something else. */
function intern(u8: Uint8Array, i32: Int32Array, from: number, length: number, base: number): string {
  const whole = length >>> 2;
  let tail = 0;
  for (let i = 0; i < whole; i++) readWords[i] = i32[(from >>> 2) + i];
  for (let i = whole << 2; i < length; i++) {
    readBytes[i] = u8[from + i];
    tail = (tail << 8) | readBytes[i];
  }
  const text = decodeText(readBytes, 0, length, TEXT_ASCII);
  internedWords[base] = length;
  internedWords[base + 1] = tail;
  for (let i = 0; i < whole; i++) internedWords[base + 2 + i] = readWords[i];
  interned[base / STRIDE] = text;
  return text;
}

/** Decodes ASCII from byte `from`, a multiple of 8. */
export function decodeAscii(u8: Uint8Array, i32: Int32Array, from: number, to: number): string {
  const length = to - from;
  if (length === 0) return "";
  return length <= INTERN_BYTES ? decodeShort(u8, i32, from, length) : decodeText(u8, from, to, TEXT_ASCII);
}

export class TextReader {
  /** The window that is decoded, and how far it is used up. */
  text = "";
  at = 0;
  #u8: Uint8Array = new Uint8Array(0);
  #next = 0;
  #end = 0;
  #encoding = TEXT_ASCII;

  /** Starts on the text in bytes `from` to `to`; `from` is a multiple of 8. `whole`: all of it is one string. */
  start(u8: Uint8Array, i32: Int32Array, from: number, to: number, encoding: number, whole: boolean): void {
    this.at = 0;
    this.#u8 = u8;
    this.#end = to;
    this.#encoding = encoding;
    const length = to - from;
    if (length === 0) {
      this.text = "";
      this.#next = to;
    } else if (length <= WINDOW || whole) {
      this.text = encoding === TEXT_ASCII ? decodeAscii(u8, i32, from, to) : decodeText(u8, from, to, encoding);
      this.#next = to;
    } else {
      this.text = "";
      this.#next = from;
    }
  }

  /** The next string, of `length` units. */
  take(length: number): string {
    const from = this.at;
    const to = from + length;
    const text = this.text;
    if (to > text.length || length < 0) return this.#takeAcross(length >>> 0);
    this.at = to;
    if (this.#encoding === TEXT_UTF8) this.#checkCut(text, to);
    return length === text.length ? text : text.substring(from, to);
  }

  /** Fails unless the strings used up the text. */
  finish(): void {
    if (this.at !== this.text.length || this.#next !== this.#end) throw new CodecError("TrailingBytes", "the strings do not use up the text");
    this.text = "";
    this.at = 0;
  }

  /** Fails if `at` is between the halves of a surrogate pair: windows end at whole characters, so both are in `text`. */
  #checkCut(text: string, at: number): void {
    if (at > 0 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) throw new CodecError("BadText", "a string ends inside a character");
  }

  #takeAcross(length: number): string {
    const unitBytes = this.#encoding === TEXT_UTF16 ? 2 : 1;
    let piece = this.text.substring(this.at);
    if (length - piece.length > (this.#end - this.#next) / unitBytes) throw new CodecError("Truncated", "a string is longer than the text left");
    while (piece.length < length) {
      const missing = length - piece.length;
      this.#load(Math.max(WINDOW, missing * unitBytes), missing);
      const used = Math.min(missing, this.text.length);
      piece += this.text.substring(0, used);
      this.at = used;
    }
    if (this.#encoding === TEXT_UTF8) this.#checkCut(this.text, this.at);
    return piece;
  }

  /** Decodes the next window, of about `bytes` bytes; a long string is not followed by others in its window. */
  #load(bytes: number, missing: number): void {
    if (this.#next >= this.#end) throw new CodecError("Truncated", "a string is longer than the text left");
    const u8 = this.#u8;
    let to = Math.min(this.#next + bytes, this.#end);
    if (missing >= WINDOW / 2 && this.#encoding !== TEXT_UTF8) to = Math.min(this.#next + (this.#encoding === TEXT_UTF16 ? 2 : 1) * missing, this.#end);
    if (this.#encoding === TEXT_UTF8 && to < this.#end) {
      const limit = Math.max(to - 3, this.#next + 1);
      while (to > limit && (u8[to] & 0xc0) === 0x80) to--;
    }
    this.text = decodeText(u8, this.#next, to, this.#encoding);
    this.at = 0;
    this.#next = to;
  }
}
