/**
 * Large payloads: bytes that travel in blocks of shared memory, beside the message that names them.
 *
 * The sender writes them straight into a block, the receiver copies them out of it and gives it back at once: two copies in all, and the memory
 * is free again without waiting for a collector.
 */
import type { ByteBuffer } from "../codec/buffer.ts";
import { CodecError } from "../codec/errors.ts";
import type { BlockReader, BlockWriter } from "../codec/hooks.ts";
import { CONTROL_BLOCK_BYTES, CONTROL_BLOCK_HIGH, CONTROL_BLOCK_LOW, CONTROL_BLOCK_OFFSET } from "../generated/layout.ts";

/** Payloads from this many bytes go into blocks: below, copying them costs less than a block does. */
const SENT = 8 * 1024;

/** The engine's functions for one's own arena. */
export interface BlockSource {
  readonly arena: () => ByteBuffer;
  alloc(bytes: number): boolean;
  free(lo: number, hi: number): void;
}

/** Hands out blocks to an encoder, and knows those of the message being written. */
export class BlockSender implements BlockWriter {
  readonly minBytes = SENT;
  readonly #source: BlockSource;
  readonly #control: Int32Array;
  /** A message of the buffer being filled found no room: no later one may take what it waits for. */
  #short = false;
  /** Locators of the current message's blocks, two words each. */
  #words: number[] = [];
  /** Bytes in blocks of messages that were not handed over yet. */
  bytes = 0;

  constructor(source: BlockSource, control: Int32Array) {
    this.#source = source;
    this.#control = control;
  }

  open(bytes: number, words: Int32Array, index: number): Uint8Array | null {
    if (this.#short || !this.#source.alloc(bytes)) {
      this.#short = true;
      return null;
    }
    const control = this.#control;
    const [lo, hi] = [control[CONTROL_BLOCK_LOW], control[CONTROL_BLOCK_HIGH]];
    words[index] = lo;
    words[index + 1] = hi;
    this.#words.push(lo, hi);
    this.bytes += bytes;
    const at = control[CONTROL_BLOCK_OFFSET] >>> 0;
    return this.#source.arena().u8.subarray(at, at + bytes);
  }

  /** The buffer was handed over: from now on the engine knows who waits. */
  handedOver(): void {
    this.#short = false;
    this.bytes = 0;
  }

  cancel(): void {
    const [lo, hi] = this.#words.splice(-2);
    this.#source.free(lo, hi);
  }

  discard(): void {
    while (this.#words.length > 0) this.cancel();
  }

  /** Whether the message that was just written has blocks. */
  get used(): boolean {
    return this.#words.length > 0;
  }

  /** The message goes out, and its blocks with it: tells of each. */
  sent(each: (lo: number, hi: number) => void): void {
    const words = this.#words;
    this.#words = [];
    for (let i = 0; i < words.length; i += 2) each(words[i], words[i + 1]);
  }
}

/** The engine's functions for blocks of somebody else's arena. */
export interface BlockTarget {
  readonly arena: () => ByteBuffer;
  open(lo: number, hi: number): void;
  close(lo: number, hi: number): void;
}

/** Opens the blocks that messages of one sender name. */
export class BlockReceiver implements BlockReader {
  readonly #target: BlockTarget;
  readonly #control: Int32Array;

  constructor(target: BlockTarget, control: Int32Array) {
    this.#target = target;
    this.#control = control;
  }

  take(lo: number, hi: number, length: number): ArrayBuffer {
    try {
      return this.open(lo, hi, length).slice().buffer as ArrayBuffer;
    } finally {
      this.release(lo, hi);
    }
  }

  open(lo: number, hi: number, length: number): Uint8Array {
    const [views, at] = this.window(lo, hi, length);
    return views.u8.subarray(at, at + length);
  }

  /** Where the first `length` bytes of a block are. */
  window(lo: number, hi: number, length: number): readonly [ByteBuffer, number] {
    this.#target.open(lo, hi);
    const bytes = this.#control[CONTROL_BLOCK_BYTES] >>> 0;
    if (length < 0 || length > bytes) throw shorter(length, bytes);
    return [this.#target.arena(), this.#control[CONTROL_BLOCK_OFFSET] >>> 0];
  }

  release(lo: number, hi: number): void {
    this.#target.close(lo, hi);
  }
}

function shorter(length: number, bytes: number): CodecError {
  return new CodecError("Truncated", `${length} bytes are said to be in a block of ${bytes}`);
}
