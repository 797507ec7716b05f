/**
 * The runtimes' own text functions behind `Buffer`, where they exist and do what we need.
 *
 * `utf8Write` and `utf8Slice` take positions, so no view is made per call: that is half of the price of `TextEncoder.encodeInto` and
 * `TextDecoder.decode` for short text. They are not documented; each is tried once, and the standard classes are used without them.
 */

/** Writes `text` as UTF-8 from byte `at`, at most `room` bytes; returns the bytes written. Lone surrogates become U+FFFD. */
export type NativeWrite = (this: Uint8Array, text: string, at: number, room: number) => number;
/** Decodes bytes `from` to `to` as UTF-8; what is not becomes U+FFFD, one per byte or sequence. */
export type NativeSlice = (this: Uint8Array, from: number, to: number) => string;

interface BufferMethods {
  utf8Write?: NativeWrite;
  utf8Slice?: NativeSlice;
}

function methods(): BufferMethods {
  return (globalThis as unknown as { Buffer?: { prototype: BufferMethods } }).Buffer?.prototype ?? {};
}

function probeWrite(write: NativeWrite | undefined): NativeWrite | null {
  try {
    const bytes = new Uint8Array(8);
    if (write?.call(bytes, "a\u00e9\ud800", 1, 7) !== 6) return null;
    return bytes.join() === "0,97,195,169,239,191,189,0" ? write : null;
  } catch {
    return null;
  }
}

function probeSlice(slice: NativeSlice | undefined): NativeSlice | null {
  try {
    return slice?.call(new Uint8Array([0, 0xef, 0xbb, 0xbf, 97, 255, 254, 0]), 1, 7) === "\ufeffa\ufffd\ufffd" ? slice : null;
  } catch {
    return null;
  }
}

/** Deno takes milliseconds for its `Buffer`, when it is first asked for: so that is when the first text comes. */
const isLate = "Deno" in globalThis;
let lateWrite: NativeWrite | null = null;
let lateSlice: NativeSlice | null = null;

function standardWrite(this: Uint8Array, text: string, at: number, room: number): number {
  return new TextEncoder().encodeInto(text, this.subarray(at, at + room)).written;
}

function standardSlice(this: Uint8Array, from: number, to: number): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.subarray(from, to));
}

function writeLate(this: Uint8Array, text: string, at: number, room: number): number {
  return (lateWrite ??= probeWrite(methods().utf8Write) ?? standardWrite).call(this, text, at, room);
}

function sliceLate(this: Uint8Array, from: number, to: number): string {
  return (lateSlice ??= probeSlice(methods().utf8Slice) ?? standardSlice).call(this, from, to);
}

export const nativeWrite = isLate ? writeLate : probeWrite(methods().utf8Write);
export const nativeSlice = isLate ? sliceLate : probeSlice(methods().utf8Slice);

/** Longest text for which `nativeSlice` is the faster way. In Deno it decodes long text by itself, slowly. */
export const NATIVE_SLICE_BYTES = isLate ? 128 : 0x7fff_ffff;
/** Longest text that is faster written by a loop than by `nativeWrite`. */
export const LOOP_WRITE_UNITS = nativeWrite === null || isLate ? 48 : 12;
