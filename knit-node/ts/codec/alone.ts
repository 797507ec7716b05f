/**
 * Messages that stand alone: private bytes, without a shape table and without blocks.
 */
import { ByteBuffer } from "./buffer.ts";
import { Decoder } from "./decode.ts";
import { Encoder } from "./encode.ts";
import { DEFAULT_LIMITS } from "./format.ts";

/** The bytes of a value. A refusal names its path from `root`. */
export function encodeAlone(value: unknown, root: string): Uint8Array {
  const out = new ByteBuffer(new ArrayBuffer(256));
  const end = new Encoder(null, DEFAULT_LIMITS, { root }).encode(value, out, 0);
  return out.u8.slice(0, end);
}

/** Whether a value travels by itself. */
export function travelsAlone(value: unknown): boolean {
  try {
    encodeAlone(value, "value");
    return true;
  } catch {
    return false;
  }
}

/** The value that `encodeAlone` wrote. */
export function decodeAlone(bytes: Uint8Array): unknown {
  const whole = new ArrayBuffer((bytes.byteLength + 7) & -8);
  new Uint8Array(whole).set(bytes);
  return new Decoder(null).decode(new ByteBuffer(whole), 0, bytes.byteLength);
}
