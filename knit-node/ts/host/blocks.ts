/**
 * Large payloads: bytes that travel in blocks of shared memory, beside the message that names them.
 *
 * The sender writes them straight into a block: one copy, or none if the program filled a block that it was lent. From `LENT` bytes the receiver is
 * shown the block itself, which is given back when the collector takes the buffer, unless the engine had no loan for it; then, and below, the receiver copies
 * the bytes out and gives the block back at once.
 */
import type { ByteBuffer } from "../codec/buffer.ts";
import { CodecError } from "../codec/errors.ts";
import type { BlockReader, BlockWriter } from "../codec/hooks.ts";
import { CONTROL_BLOCK_BYTES, CONTROL_BLOCK_HIGH, CONTROL_BLOCK_LOW, CONTROL_BLOCK_OFFSET, LENT } from "../generated/layout.ts";

/** Payloads from this many bytes go into blocks: below, copying them costs less than a block does. */
const SENT = 8 * 1024;

/** The engine's functions for one's own heap. */
export interface BlockSource {
  readonly heap: () => ByteBuffer;
  alloc(bytes: number): boolean;
  free(lo: number, hi: number): void;
  /** Takes a block that the program was lent, to be sent. */
  takeOver?(lo: number, hi: number): boolean;
}

/** A buffer that was made to be sent. */
interface Lent {
  /** Whether it is a block; else ordinary memory, because there was no room. */
  readonly block: boolean;
  readonly lo: number;
  readonly hi: number;
  /** It is in the message being written. */
  taken: boolean;
}

/** Hands out blocks to an encoder, and knows those of the message being written. */
export class BlockSender implements BlockWriter {
  readonly minBytes = SENT;
  readonly #source: BlockSource;
  readonly #control: Int32Array;
  /** A message of the buffer being filled found no room: no later one may take what it waits for. */
  #short = false;
  /** A part of the current message found no room, beside others that did. */
  #starved = false;
  /** The current message is to have no blocks. */
  #whole = false;
  /** Locators of the current message's blocks, two words each. */
  #words: number[] = [];
  /** Bytes in blocks of messages that were not handed over yet. */
  bytes = 0;
  /** Made when the first is. */
  #lent: WeakMap<ArrayBufferLike, Lent> | null = null;
  /** Those in the current message: they go with it. */
  #moved: ArrayBuffer[] = [];

  constructor(source: BlockSource, control: Int32Array) {
    this.#source = source;
    this.#control = control;
  }

  open(bytes: number, words: Int32Array, index: number): Uint8Array | null {
    if (this.#whole) return null;
    if (this.#short || !this.#source.alloc(bytes)) {
      this.#short = true;
      this.#starved = this.#words.length > 0;
      return null;
    }
    const control = this.#control;
    const [lo, hi] = [control[CONTROL_BLOCK_LOW], control[CONTROL_BLOCK_HIGH]];
    words[index] = lo;
    words[index + 1] = hi;
    this.#words.push(lo, hi);
    this.bytes += bytes;
    const at = control[CONTROL_BLOCK_OFFSET] >>> 0;
    return this.#source.heap().u8.subarray(at, at + bytes);
  }

  /** A view of a buffer that moves when it is sent; if it is a block, the control block names it. */
  lend(buffer: ArrayBuffer, block: boolean): Uint8Array {
    const control = this.#control;
    this.#lent ??= new WeakMap();
    this.#lent.set(buffer, { block, lo: control[CONTROL_BLOCK_LOW], hi: control[CONTROL_BLOCK_HIGH], taken: false });
    const bytes = new Uint8Array(buffer);
    // A block shows what was sent in it before.
    return block ? bytes.fill(0) : bytes;
  }

  adopt(bytes: Uint8Array, words: Int32Array, index: number): boolean {
    const { buffer } = bytes;
    const lent = this.#lent === null || bytes.length !== buffer.byteLength ? undefined : this.#lent.get(buffer);
    if (lent === undefined || lent.taken) return false;
    lent.taken = true;
    this.#moved.push(buffer as ArrayBuffer);
    if (!lent.block) return false;
    words[index] = lent.lo;
    words[index + 1] = lent.hi;
    return true;
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
    this.#starved = false;
    while (this.#words.length > 0) this.cancel();
    if (this.#moved.length === 0) return;
    for (const buffer of this.#moved) this.#lent!.get(buffer)!.taken = false;
    this.#moved = [];
  }

  /**
   * Has a message that was written with too few blocks written once more without any. It would wait for room that its own blocks may take; whole, it waits
   * for others' only.
   */
  settle(end: number, encode: () => number): number {
    if (!this.#starved) return end;
    this.discard();
    this.#whole = true;
    try {
      return encode();
    } finally {
      this.#whole = false;
    }
  }

  /** Whether the message that was just written has blocks. */
  get used(): boolean {
    return this.#words.length > 0 || this.#moved.length > 0;
  }

  /** The message goes out, and its blocks with it: tells of each. */
  sent(each: (lo: number, hi: number) => void): void {
    const words = this.#words;
    this.#words = [];
    for (let i = 0; i < words.length; i += 2) each(words[i], words[i + 1]);
    if (this.#moved.length > 0) this.#move(each);
  }

  #move(each: (lo: number, hi: number) => void): void {
    const moved = this.#moved;
    this.#moved = [];
    for (const buffer of moved) {
      const { block, lo, hi } = this.#lent!.get(buffer)!;
      if (block && this.#source.takeOver!(lo, hi)) each(lo, hi);
      // Only now: detaching lets go of the block.
      buffer.transfer(0);
    }
  }
}

/** The engine's functions for blocks of somebody else's heap. */
export interface BlockTarget {
  readonly heap: () => ByteBuffer;
  /** The first `bytes` of a block as a buffer that gives it back when it is collected; null if it cannot be kept. */
  hold(lo: number, hi: number, bytes: number): ArrayBuffer | null;
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

  /** Whether blocks of the current message are held by the program now. */
  kept = false;

  take(lo: number, hi: number, length: number): ArrayBuffer {
    const buffer = length >= LENT ? this.#target.hold(lo, hi, length) : null;
    if (buffer !== null) {
      this.kept = true;
      if (buffer.byteLength !== length) throw shorter(length, buffer.byteLength);
      return buffer;
    }
    try {
      return copy(this.open(lo, hi, length));
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
    return [this.#target.heap(), this.#control[CONTROL_BLOCK_OFFSET] >>> 0];
  }

  release(lo: number, hi: number): void {
    this.#target.close(lo, hi);
  }
}

/** A copy in memory of its own, which where possible is not filled with zeros first: that costs as much as the copy. */
function copy(bytes: Uint8Array): ArrayBuffer {
  // Not kept: Deno takes milliseconds for it, when it is first asked for.
  const { Buffer } = globalThis as { Buffer?: { allocUnsafeSlow(bytes: number): Uint8Array<ArrayBuffer> } };
  const own = Buffer === undefined ? new Uint8Array(bytes.length) : Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own.buffer;
}

function shorter(length: number, bytes: number): CodecError {
  return new CodecError("Truncated", `${length} bytes are said to be in a block of ${bytes}`);
}
