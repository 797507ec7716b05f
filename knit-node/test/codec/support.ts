/**
 * What the codec's tests share: one sender and one receiver over private memory, as they are wired in a pool.
 */
import { ByteBuffer } from "../../ts/codec/buffer.ts";
import { Decoder } from "../../ts/codec/decode.ts";
import { Encoder } from "../../ts/codec/encode.ts";
import { DEFAULT_LIMITS } from "../../ts/codec/format.ts";
import { ShapeReader, ShapeWriter } from "../../ts/codec/shapes.ts";
import type { BlockReader, CodecHooks, SharedMemoryReader } from "../../ts/codec/hooks.ts";
import type { EncoderOptions } from "../../ts/codec/encode.ts";
import type { Limits } from "../../ts/codec/format.ts";

export interface ChannelOptions {
  /** Words of the shape table; 0 for none. */
  readonly tableWords?: number;
  readonly limits?: Limits;
  readonly encoder?: EncoderOptions;
  readonly decoder?: CodecHooks<BlockReader, SharedMemoryReader>;
  /** Bytes of the buffer at first. */
  readonly bytes?: number;
  /** Where messages begin. */
  readonly at?: number;
}

export class Channel {
  readonly out: ByteBuffer;
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  readonly table: Int32Array | null;
  readonly at: number;

  constructor(options: ChannelOptions = {}) {
    const words = options.tableWords ?? 4096;
    const limits = options.limits ?? DEFAULT_LIMITS;
    this.table = words === 0 ? null : new Int32Array(words);
    this.out = new ByteBuffer(new ArrayBuffer(options.bytes ?? 64));
    this.encoder = new Encoder(this.table && new ShapeWriter(this.table), limits, options.encoder);
    this.decoder = new Decoder(this.table && new ShapeReader(this.table), limits, options.decoder);
    this.at = options.at ?? 16;
  }

  /** The message of `value`, as bytes of its own. */
  bytes(value: unknown): Uint8Array {
    // What was there before must not matter.
    this.out.u8.fill(0xa5);
    const end = this.encoder.encode(value, this.out, this.at);
    return this.out.u8.slice(this.at, end);
  }

  read(bytes: Uint8Array): unknown {
    const at = this.at;
    const buffer = new ArrayBuffer((at + bytes.length + 7) & ~7);
    new Uint8Array(buffer).fill(0x5a).set(bytes, at);
    return this.decoder.decode(new ByteBuffer(buffer), at, bytes.length);
  }

  /** `value` as it arrives. */
  send<T>(value: T): T {
    return this.read(this.bytes(value)) as T;
  }
}

/** The ways a codec is set up: with and without a shape table, with and without generated code. */
export const SETUPS: readonly (readonly [string, ChannelOptions])[] = [
  ["with a shape table", {}],
  ["without a shape table", { tableWords: 0 }],
  ["with a full shape table", { tableWords: 24 }],
  ["without generated code", { encoder: { compile: false }, decoder: { compile: false } }],
];
