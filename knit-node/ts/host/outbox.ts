/**
 * The submission buffer: calls written as frames, in private memory, until the next turn hands them over. No native call is made for one.
 *
 * A call with an abort slot has the slot and its ticket before the argument, and a flag that says so.
 */
import { ByteBuffer } from "../codec/buffer.ts";
import { Encoder } from "../codec/encode.ts";
import type { Limits } from "../codec/format.ts";
import { ShapeWriter } from "../codec/shapes.ts";
import { FLAG_ABORT, FRAME_HEADER, GRANULE, KIND_CALL } from "../generated/layout.ts";
import type { Native } from "../runtime/native.ts";
import type { CallMemories, Memories } from "../shared-memory/host-side.ts";
import { BlockSender } from "./blocks.ts";
import { wholeGranules } from "./memory.ts";
import type { PoolMemory } from "./memory.ts";
import type { Pending } from "./pending.ts";
import type { Trimmer } from "./trimmer.ts";

/** Bytes of the first buffer. */
const FIRST = 64 * 1024;
/** Bytes of calls after which a long tick hands over. */
const FLUSH = 4096;
/** Bytes of a frame whose message is one slot: a number, `undefined`. Such a message has no blocks, and reading its value has run no code of the program. */
const SMALL = FRAME_HEADER + 8;
/** Bytes of slot and ticket. */
const ABORT_BYTES = 8;

/** What tells a running task that it is aborted. */
export interface AbortSlot {
  readonly slot: number;
  readonly ticket: number;
}

export class Outbox {
  readonly #native: Native;
  readonly #handle: number;
  readonly #pending: Pending;
  readonly #limits: Limits;
  readonly #memories: Memories | null;
  readonly #trimmer: Trimmer;
  readonly #onNested: () => void;
  readonly #out: ByteBuffer;
  readonly #encoder: Encoder;
  readonly #sender: BlockSender;
  readonly #shared: CallMemories | null;
  #filled = 0;
  /** Calls in the buffer. */
  calls = 0;
  /** Calls made by accessors of an argument that is being read: whole frames, to go out after it. */
  #nested: Uint8Array[] = [];
  #nestedEncoder: Encoder | null = null;
  #nestedShared: CallMemories | null = null;

  constructor(
    native: Native,
    handle: number,
    control: Int32Array,
    memory: PoolMemory,
    memories: Memories | null,
    pending: Pending,
    limits: Limits,
    trimmer: Trimmer,
    onNested: () => void,
    blocks: boolean,
  ) {
    this.#native = native;
    this.#handle = handle;
    this.#pending = pending;
    this.#limits = limits;
    this.#memories = memories;
    this.#trimmer = trimmer;
    this.#onNested = onNested;
    this.#out = new ByteBuffer(native.hostOutbox(handle, FIRST), (bytes) => {
      this.#out.attach(native.hostOutbox(handle, wholeGranules(Math.max(bytes, this.#out.byteLength * 2))));
    });
    this.#sender = new BlockSender(
      {
        heap: () => memory.heap(0),
        alloc: (bytes) => native.hostAllocBlock(handle, bytes),
        free: (lo, hi) => native.hostFreeBlock(handle, lo, hi),
        takeOver: (lo, hi) => native.hostTakeOverBlock(handle, lo, hi),
      },
      control,
    );
    this.#shared = memories?.writer() ?? null;
    const shared = this.#shared === null ? {} : { shared: this.#shared };
    this.#encoder = new Encoder(new ShapeWriter(memory.shapes("host")), limits, { root: "arg", ...(blocks ? { blocks: this.#sender } : {}), ...shared });
  }

  /** Whether a call is being written. */
  get busy(): boolean {
    return this.#encoder.busy;
  }

  /** Whether it is time to hand over. */
  get isLong(): boolean {
    return this.#filled + this.#sender.bytes >= FLUSH;
  }

  /** The bytes that hold calls, to be handed over now. */
  take(): number {
    const filled = this.#filled;
    this.#filled = 0;
    this.calls = 0;
    return filled;
  }

  /** They were. */
  handedOver(): void {
    this.#sender.handedOver();
  }

  /** A view of a buffer that moves when it is sent. */
  lend(buffer: ArrayBuffer, block: boolean): Uint8Array {
    return this.#sender.lend(buffer, block);
  }

  /** Writes a call. The argument is read before this returns; if it cannot travel, the call has no number and leaves no frame. */
  write(fn: number, value: unknown): Promise<unknown> {
    if (this.#encoder.busy) return this.#writeNested(fn, value);
    const start = this.#filled;
    const out = this.#out;
    let end: number;
    try {
      end = this.#encoder.encode(value, out, start + FRAME_HEADER);
      if (this.#sender.used) end = this.#settle(value, start + FRAME_HEADER, end);
    } catch (error) {
      this.#takeNested();
      return Promise.reject(error);
    }
    const number = this.#pending.take();
    // At once: a hand-over that fails rejects every call there is.
    const promise = this.#pending.promise();
    this.#header(out.i32, start >>> 2, end - start - FRAME_HEADER, fn, 0, number);
    if (end - start === SMALL) {
      this.#filled = start + GRANULE;
      return promise;
    }
    this.#finish(start, end, number);
    return this.#shared !== null && this.#shared.used ? this.#shared.hold(promise) : promise;
  }

  /** Writes a call that has its number. Throws if the argument cannot travel. Returns what the call holds on to until it is settled. */
  writeNumbered(fn: number, value: unknown, number: number, abort: AbortSlot | null): (() => void) | null {
    const offset = FRAME_HEADER + (abort === null ? 0 : ABORT_BYTES);
    const flags = abort === null ? 0 : FLAG_ABORT;
    if (this.#encoder.busy) {
      const [out, end] = this.#encodeNested(value, offset);
      this.#header(out.i32, 0, end - FRAME_HEADER, fn, flags, number);
      if (abort !== null) putSlot(out.i32, FRAME_HEADER >>> 2, abort);
      this.#nested.push(out.u8.slice(0, end));
      return this.#nestedShared?.used === true ? this.#nestedShared.keep() : null;
    }
    const start = this.#filled;
    const out = this.#out;
    let end: number;
    try {
      end = this.#encoder.encode(value, out, start + offset);
      if (this.#sender.used) end = this.#settle(value, start + offset, end);
    } catch (error) {
      this.#takeNested();
      throw error;
    }
    this.#header(out.i32, start >>> 2, end - start - FRAME_HEADER, fn, flags, number);
    if (abort !== null) putSlot(out.i32, (start + FRAME_HEADER) >>> 2, abort);
    this.#finish(start, end, number);
    return this.#shared !== null && this.#shared.used ? this.#shared.keep() : null;
  }

  /** Apart: what a closure captures is allocated whenever the function around it is called. */
  #settle(value: unknown, at: number, end: number): number {
    return this.#sender.settle(end, () => this.#encoder.encode(value, this.#out, at));
  }

  #header(i32: Int32Array, at: number, bytes: number, fn: number, flags: number, number: number): void {
    this.calls++;
    i32[at] = bytes;
    i32[at + 1] = fn | (KIND_CALL << 16) | (flags << 24);
    i32[at + 2] = number;
    i32[at + 3] = this.#pending.generations[number];
  }

  #finish(start: number, end: number, number: number): void {
    if (this.#sender.used) this.#assignBlocks(number);
    if (end - start > FLUSH) this.#trimmer.touched = true;
    this.#filled = (end + (GRANULE - 1)) & -GRANULE;
    if (this.#nested.length > 0) this.#takeNested();
  }

  /** The blocks of the message just written go with this call. */
  #assignBlocks(number: number): void {
    this.#trimmer.touched = true;
    this.#sender.sent((lo, hi) => this.#native.hostAssignBlock(this.#handle, number, lo, hi));
  }

  /** An accessor of an argument calls the pool while the argument is being written: its frame is made elsewhere. */
  #writeNested(fn: number, value: unknown): Promise<unknown> {
    let out: ByteBuffer;
    let end: number;
    try {
      [out, end] = this.#encodeNested(value, FRAME_HEADER);
    } catch (error) {
      return Promise.reject(error);
    }
    const number = this.#pending.take();
    this.#header(out.i32, 0, end - FRAME_HEADER, fn, 0, number);
    this.#nested.push(out.u8.slice(0, end));
    const promise = this.#pending.promise();
    return this.#nestedShared?.used === true ? this.#nestedShared.hold(promise) : promise;
  }

  #encodeNested(value: unknown, at: number): [ByteBuffer, number] {
    const out = new ByteBuffer(new ArrayBuffer(1024));
    // Without blocks: those of the outer message must not be taken for this one's.
    this.#nestedShared ??= this.#memories?.writer() ?? null;
    this.#nestedEncoder ??= new Encoder(null, this.#limits, { root: "arg", ...(this.#nestedShared === null ? {} : { shared: this.#nestedShared }) });
    return [out, this.#nestedEncoder.encode(value, out, at)];
  }

  #takeNested(): void {
    for (const frame of this.#nested) {
      const end = this.#filled + frame.length;
      if (end > this.#out.byteLength) this.#out.grow(end);
      this.#out.u8.set(frame, this.#filled);
      this.#filled = (end + (GRANULE - 1)) & -GRANULE;
    }
    if (this.#nested.length === 0) return;
    this.#nested = [];
    this.#onNested();
  }
}

function putSlot(i32: Int32Array, at: number, { slot, ticket }: AbortSlot): void {
  i32[at] = slot;
  i32[at + 1] = ticket;
}
