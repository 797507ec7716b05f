/**
 * What the codec asks of its owner for values whose bytes do not travel inside the message.
 *
 * A locator is 64 bits that the codec carries and never interprets. It is passed as two words, so that nothing is allocated.
 */

/** Writing side of large payloads (`BINARY_BLOCK`, `STRING_BLOCK`). */
export interface BlockWriter {
  /** Payloads of at least this many bytes are offered to a block. */
  readonly minBytes: number;
  /**
   * Takes a block of `bytes` bytes, writes its locator into `words[index]` and `words[index + 1]`, and returns a window of exactly that
   * many bytes to fill; null if the payload must travel in the message.
   */
  open(bytes: number, words: Int32Array, index: number): Uint8Array | null;
  /**
   * `bytes` are a block that the program was lent: writes its locator as `open` does, and takes it along with the message. False if they must be
   * copied.
   */
  adopt?(bytes: Uint8Array, words: Int32Array, index: number): boolean;
  /** Gives back the block opened last. */
  cancel(): void;
  /** The message was refused: gives back every block opened since the previous message. */
  discard(): void;
}

/** Reading side of large payloads. */
export interface BlockReader {
  /** A buffer of exactly `length` bytes that belongs to the receiver: the block itself shown in place, or a copy. */
  take(lo: number, hi: number, length: number): ArrayBuffer;
  /** A window of exactly `length` bytes, good until `release`. */
  open(lo: number, hi: number, length: number): Uint8Array;
  release(lo: number, hi: number): void;
}

/** What `SHARED_MEMORY` carries. */
export interface SharedMemory {
  /** 0 `ProcessSharedBuffer`, 1 `SharedArrayBuffer`, 16 + binary kind a view of one. */
  readonly kind: number;
  readonly byteLength: number;
  readonly byteOffset: number;
  readonly lo: number;
  readonly hi: number;
}

/** Writing side of memory that both sides see. */
export interface SharedMemoryWriter {
  /** Whether `describe` would have an answer. Changes nothing. */
  takes(value: object): boolean;
  /** How `value` travels, or null if it is no shared memory or cannot go there. `kind` is that of a view of a `SharedArrayBuffer`, else -1. */
  describe(value: object, kind: number): SharedMemory | null;
  /** The message was refused: forgets what was described since the previous one. */
  discard(): void;
}

/** Reading side of it. */
export interface SharedMemoryReader {
  /** The value that a message names; its kind, length and offset have been checked, its locator has not. */
  open(memory: SharedMemory): object;
}

/** Everything optional that an encoder or a decoder may be given. */
export interface CodecHooks<Blocks, Shared> {
  readonly blocks?: Blocks;
  readonly shared?: Shared;
  /** False: build objects with closures even where the runtime allows code generation. */
  readonly compile?: boolean;
}
