/**
 * The host: encodes calls, hands them over once a turn, and settles what comes back.
 *
 * # A turn
 *
 * 1. `call` takes a number and writes a frame into the submission buffer: no native call. The first one of a tick queues the turn as a
 *    microtask; a long tick hands over what it has so far every `FLUSH` bytes, so that workers start meanwhile.
 * 2. The turn hands over and looks for replies, one native call for both. While replies come it goes on in microtasks,
 *    so that the continuations of what it settled run in between.
 * 3. Nothing came a few times: it spins once, for as long as recent replies took (the engine keeps the limit).
 * 4. Still nothing: a few polls, one a turn of the event loop. Then the host arms its doorbell and lets the loop sleep. Whoever publishes
 *    a reply then rings it. No timer is involved anywhere.
 *
 * Microtasks starve the event loop: once the loop has not turned for `BURST` microseconds, the next turn of the host comes from it. Whether
 * it has turned is learnt from a mark that is left in it, since no clock tells: a program may work for a long time between two calls.
 *
 * # Who keeps the process alive
 *
 * The bell does while the host sleeps with calls open, a queued turn does while it polls; an unused pool does not.
 */
import { ByteBuffer } from "../codec/buffer.ts";
import { Decoder } from "../codec/decode.ts";
import { Encoder } from "../codec/encode.ts";
import { CodecError } from "../codec/errors.ts";
import { DEFAULT_LIMITS } from "../codec/format.ts";
import type { Limits } from "../codec/format.ts";
import { ShapeReader, ShapeWriter } from "../codec/shapes.ts";
import * as layout from "../generated/layout.ts";
import type { InlinerOptions } from "../api/options.ts";
import type { Native } from "../runtime/native.ts";
import { HostMemories } from "../shared-memory/host-side.ts";
import type { CallMemories } from "../shared-memory/host-side.ts";
import { BlockReceiver, BlockSender } from "./blocks.ts";
import { revive } from "./engine-error.ts";
import { InlineLane } from "./inline.ts";
import type { InlineFunction } from "./inline.ts";
import { PoolMemory } from "./memory.ts";
import { Pending } from "./pending.ts";
import { Trimmer } from "./trimmer.ts";

const { FRAME_HEADER, GRANULE, CONTROL_CLOCK, CONTROL_ENTRIES, SPAN_WORDS, KIND_CALL, KIND_RESULT, KIND_THROWN, KIND_PAD, FLAG_BLOCK, FLAG_ENGINE, FLAG_KEPT } =
  layout;

/** Bytes of the first submission buffer. */
const FIRST_OUTBOX = 64 * 1024;
/** Bytes of calls after which a long tick hands over. */
const FLUSH = 4096;
/** Looks in microtasks without a reply before the host spins. */
const LOOKS = 4;
/** Polls from the event loop without a reply before the host sleeps. */
const POLLS = 3;
/** Microseconds after which microtasks make room for the event loop. */
const BURST = 1000;
/** The longest spin; the engine's own limit is mostly shorter. */
const SPIN = 50;

export interface HostSettings {
  readonly threads: number;
  readonly steal: boolean;
  readonly arenaBytes: number;
  readonly maxPayloadBytes: number;
  readonly inliner: Required<InlinerOptions> | null;
}

export class Host {
  readonly handle: number;
  readonly memory: PoolMemory;
  readonly pending = new Pending();
  /** `SharedArrayBuffer`s that cross. */
  readonly memories: HostMemories;
  readonly #native: Native;
  readonly #later: (task: () => void) => void;
  readonly #limits: Limits;
  readonly #control: Int32Array;
  readonly #out: ByteBuffer;
  readonly #encoder: Encoder;
  readonly #decoders: Decoder[] = [];
  readonly #receivers: BlockReceiver[] = [];
  readonly #sender: BlockSender;
  readonly #shared: CallMemories;
  readonly #trimmer = new Trimmer(() => this.#native.hostTrim(this.handle));
  /** Bytes of the submission buffer that hold calls. */
  #filled = 0;
  /** Calls made by accessors of an argument that is being read: whole frames, to go out after it. */
  #nested: Uint8Array[] = [];
  #nestedEncoder: Encoder | null = null;
  #nestedShared: CallMemories | null = null;
  #queued = false;
  #keepsAlive = false;
  #misses = 0;
  #burstStart = -1;
  #marked = false;
  #long = false;
  #closed = false;
  /** Why no call is taken any more. */
  #refusal: unknown = null;
  /** Calls whose argument is awaited first. */
  #awaited = 0;
  /** Resolves when no call is open, if somebody waits for that. */
  #finishing: (() => void) | null = null;
  /** The host's own lane, if it has one. */
  readonly #inline: InlineLane | null;

  constructor(native: Native, settings: HostSettings, later: (task: () => void) => void, functions: readonly InlineFunction[]) {
    this.#native = native;
    this.#later = later;
    const handle = native.hostCreate(settings.threads, settings.steal, settings.arenaBytes, 258, -1);
    this.handle = handle;
    this.memory = new PoolMemory(native.hostFront(handle), (heap) => native.hostHeap(handle, heap));
    this.#control = new Int32Array(native.hostControl(handle));
    this.#limits = { maxDepth: DEFAULT_LIMITS.maxDepth, maxBytes: settings.maxPayloadBytes };
    this.#out = new ByteBuffer(native.hostOutbox(handle, FIRST_OUTBOX), (bytes) => {
      this.#out.attach(native.hostOutbox(handle, Math.max(bytes + GRANULE, this.#out.byteLength * 2)));
    });
    this.#sender = new BlockSender(
      {
        heap: () => this.memory.heap(0),
        alloc: (bytes) => native.hostAllocBlock(handle, bytes),
        free: (lo, hi) => native.hostFreeBlock(handle, lo, hi),
        takeOver: (lo, hi) => native.hostTakeOverBlock(handle, lo, hi),
      },
      this.#control,
    );
    this.memories = new HostMemories(native, () => {
      if (!this.#closed) native.hostRouse(handle);
    });
    this.#shared = this.memories.writer();
    this.#encoder = new Encoder(new ShapeWriter(this.memory.shapes("host")), this.#limits, { root: "arg", blocks: this.#sender, shared: this.#shared });
    this.#inline = settings.inliner === null ? null : new InlineLane(functions, settings.threads, settings.inliner, this.#limits, this.pending);
    native.hostBell(handle, this.#onBell);
  }

  /** Opens a worker's place; returns its epoch. */
  begin(worker: number): number {
    const table = this.memory.shapes(worker);
    table.fill(0);
    const native = this.#native;
    const blocks = new BlockReceiver(
      {
        heap: () => this.memory.heap(worker + 1),
        hold: (lo, hi, bytes) => native.hostHoldBlock(this.handle, worker, lo, hi, bytes),
        open: (lo, hi) => native.hostOpenBlock(this.handle, worker, lo, hi),
        close: (lo, hi) => native.hostCloseBlock(this.handle, worker, lo, hi),
      },
      this.#control,
    );
    this.#receivers[worker] = blocks;
    this.#decoders[worker] = new Decoder(new ShapeReader(table), this.#limits, { blocks, shared: this.memories.reader(worker) });
    return this.#native.hostBegin(this.handle, worker);
  }

  /** Calls a function. The argument is read before this returns. */
  call(fn: number, value: unknown): Promise<unknown> {
    if (this.#refusal !== null) return Promise.reject(this.#refusal);
    return this.#send(fn, value);
  }

  /** Calls a function with what a promise resolves with. It counts as called from now on. */
  callAwaited(fn: number, argument: Promise<unknown>): Promise<unknown> {
    if (this.#refusal !== null) return Promise.reject(this.#refusal);
    this.#awaited++;
    return argument.then(
      (value) => {
        this.#awaited--;
        return this.#refusal === null || this.#finishing !== null ? this.#send(fn, value) : Promise.reject(this.#refusal);
      },
      (error: unknown) => {
        this.#awaited--;
        this.#wake();
        throw error;
      },
    );
  }

  #send(fn: number, value: unknown): Promise<unknown> {
    if (this.#inline !== null && this.#inline.takes(fn)) {
      this.#wake();
      return this.#inline.call(fn, value);
    }
    if (this.#encoder.busy) return this.#callNested(fn, value);
    const start = this.#filled;
    const out = this.#out;
    let end: number;
    try {
      end = this.#encoder.encode(value, out, start + FRAME_HEADER);
      if (this.#sender.used) end = this.#sender.settle(end, () => this.#encoder.encode(value, out, start + FRAME_HEADER));
    } catch (error) {
      this.#takeNested();
      return Promise.reject(error);
    }
    const number = this.pending.take();
    // At once: a hand-over that fails rejects every call there is.
    const promise = this.pending.promise();
    this.#header(out.i32, start >>> 2, end - start - FRAME_HEADER, fn, number);
    if (this.#sender.used) this.#assignBlocks(number);
    if (end - start > FLUSH) this.#trimmer.touched = true;
    this.#filled = (end + (GRANULE - 1)) & -GRANULE;
    if (this.#nested.length > 0) this.#takeNested();
    if (!this.#queued) this.#queue();
    if (this.#filled + this.#sender.bytes >= FLUSH) this.#submit();
    return this.#shared.used ? this.#shared.hold(promise) : promise;
  }

  /** A buffer in the pool's memory, to be filled and sent without being copied. */
  alloc(bytes: number): Uint8Array {
    const buffer = this.#refusal === null && !this.#closed ? this.#native.hostLendBlock(this.handle, bytes) : null;
    return this.#sender.lend(buffer ?? new ArrayBuffer(bytes), buffer !== null);
  }

  #header(i32: Int32Array, at: number, bytes: number, fn: number, number: number): void {
    i32[at] = bytes;
    i32[at + 1] = fn | (KIND_CALL << 16);
    i32[at + 2] = number;
    i32[at + 3] = this.pending.generations[number];
  }

  /** The blocks of the message just written go with this call. */
  #assignBlocks(number: number): void {
    this.#trimmer.touched = true;
    this.#sender.sent((lo, hi) => this.#native.hostAssignBlock(this.handle, number, lo, hi));
  }

  /** An accessor of an argument calls the pool while the argument is being written: its frame is made elsewhere. */
  #callNested(fn: number, value: unknown): Promise<unknown> {
    const out = new ByteBuffer(new ArrayBuffer(1024));
    let end: number;
    try {
      // Without blocks: those of the outer message must not be taken for this one's.
      this.#nestedShared ??= this.memories.writer();
      this.#nestedEncoder ??= new Encoder(null, this.#limits, { root: "arg", shared: this.#nestedShared });
      end = this.#nestedEncoder.encode(value, out, FRAME_HEADER);
    } catch (error) {
      return Promise.reject(error);
    }
    const number = this.pending.take();
    this.#header(out.i32, 0, end - FRAME_HEADER, fn, number);
    this.#nested.push(out.u8.slice(0, end));
    const promise = this.pending.promise();
    return this.#nestedShared!.used ? this.#nestedShared!.hold(promise) : promise;
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
    this.#wake();
  }

  /** Queues a turn, unless one is. */
  #wake(): void {
    if (!this.#queued) this.#queue();
  }

  #queue(): void {
    this.#queued = true;
    if (this.#long) this.#later(this.#turnFromLoop);
    else queueMicrotask(this.#turn);
  }

  #submit(): void {
    const filled = this.#filled;
    this.#filled = 0;
    try {
      this.#native.hostSubmit(this.handle, filled);
      this.#sender.handedOver();
    } catch (error) {
      this.fail(error);
    }
  }

  readonly #onBell = (): void => {
    this.#misses = 0;
    if (this.#queued) return;
    this.#queued = true;
    this.#turnFromLoop();
  };

  readonly #turnFromLoop = (): void => {
    this.#burstStart = -1;
    this.#long = false;
    this.#turn();
  };

  /** The event loop has turned. */
  readonly #onMark = (): void => {
    this.#marked = false;
    this.#burstStart = -1;
    this.#long = false;
  };

  /** Sees whether the event loop has waited long enough for its turn. */
  #watchLoop(clock: number): void {
    if (this.#burstStart === -1) this.#burstStart = clock;
    if (!this.#marked) {
      this.#marked = true;
      this.#later(this.#onMark);
    }
    this.#long = ((clock - this.#burstStart) | 0) >= BURST;
  }

  readonly #turn = (): void => {
    if (this.#closed) return;
    this.#queued = false;
    const filled = this.#filled;
    if (filled > 0) {
      this.#filled = 0;
      this.#misses = 0;
    }
    try {
      const spans = this.#native.hostTurn(this.handle, filled, this.#misses === LOOKS ? SPIN : 0);
      if (filled > 0) this.#sender.handedOver();
      if (spans > 0) this.#receive(spans);
      // The workers have theirs.
      if (this.#inline !== null && !this.#inline.isEmpty) this.#inline.run();
      this.#goOn(spans);
    } catch (error) {
      this.fail(error);
    }
  };

  /** When to look again, after a turn that found so many spans. */
  #goOn(spans: number): void {
    this.#watchLoop(this.#control[CONTROL_CLOCK]);
    if (spans > 0) this.#misses = 0;
    else this.#misses++;
    if (this.pending.open === 0) {
      this.#letGo();
      return;
    }
    if (this.#queued) return;
    if (this.#misses <= LOOKS) {
      this.#queue();
    } else if (this.#misses <= LOOKS + POLLS) {
      this.#queued = true;
      this.#later(this.#turnFromLoop);
    } else {
      this.#sleep();
    }
  }

  #sleep(): void {
    if (!this.#keepsAlive) this.#native.hostKeepAlive(this.handle, (this.#keepsAlive = true));
    if (this.#native.hostArm(this.handle)) {
      this.#trimmer.rest();
      return;
    }
    this.#queued = true;
    this.#later(this.#turnFromLoop);
  }

  /** Nothing is open: this pool keeps no process alive. */
  #letGo(): void {
    this.#trimmer.rest();
    if (this.#awaited === 0) this.#finished();
    if (this.#keepsAlive) this.#native.hostKeepAlive(this.handle, (this.#keepsAlive = false));
  }

  #receive(spans: number): void {
    const control = this.#control;
    const { i32 } = this.memory.front;
    const { pending } = this;
    for (let entry = CONTROL_ENTRIES; spans > 0; entry += SPAN_WORDS, spans--) {
      const worker = control[entry];
      const decoder = this.#decoders[worker];
      let at = control[entry + 1];
      const end = control[entry + 2];
      while (at < end) {
        const word = at >>> 2;
        const bytes = i32[word];
        const next = at + ((FRAME_HEADER + bytes + (GRANULE - 1)) & -GRANULE);
        if (bytes < 0 || next > end) throw new CodecError("Truncated", "a reply reaches beyond what was published");
        const what = i32[word + 1];
        const kind = (what >>> 16) & 0xff;
        if (kind !== KIND_PAD) {
          const number = i32[word + 2];
          const generation = i32[word + 3];
          const flags = what >>> 24;
          if ((flags & FLAG_KEPT) !== 0) this.#native.hostKept(this.handle, worker, number);
          let value: unknown;
          let ok = kind === KIND_RESULT;
          try {
            value =
              (flags & FLAG_BLOCK) === 0
                ? decoder.decode(this.memory.front, at + FRAME_HEADER, bytes)
                : this.#decodeBlock(decoder, worker, at + FRAME_HEADER);
            if (kind === KIND_THROWN && (flags & FLAG_ENGINE) !== 0) value = revive(value);
          } catch (error) {
            value = error;
            ok = false;
          }
          if (ok) pending.resolve(number, generation, value);
          else pending.reject(number, generation, value);
        }
        at = next;
      }
    }
  }

  #decodeBlock(decoder: Decoder, worker: number, at: number): unknown {
    const { i32 } = this.memory.front;
    const word = at >>> 2;
    const [lo, hi, bytes] = [i32[word], i32[word + 1], i32[word + 2]];
    const blocks = this.#receivers[worker];
    const [views, start] = blocks.window(lo, hi, bytes);
    try {
      return decoder.decode(views, start, bytes);
    } finally {
      blocks.release(lo, hi);
    }
  }

  /** Settles a worker's death: what it has answered counts, what it had taken rejects. */
  retire(worker: number, reason: unknown): void {
    if (this.#closed) return;
    try {
      for (;;) {
        const filled = this.#filled;
        this.#filled = 0;
        const spans = this.#native.hostTurn(this.handle, filled, 0);
        if (spans === 0) break;
        this.#receive(spans);
      }
      for (const number of this.#native.hostRetire(this.handle, worker)) this.pending.rejectNumber(number, reason);
      this.memories.detach(worker);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#wake();
  }

  /** Moves what waits in a dead worker's lane to others. */
  evacuate(worker: number): void {
    if (!this.#closed) this.#native.hostEvacuate(this.handle, worker);
  }

  /** Asks a worker to end. */
  stop(worker: number): void {
    if (!this.#closed) this.#native.hostStop(this.handle, worker);
  }

  /** Takes no call any more, and resolves when those there are have been answered. */
  finish(reason: unknown): Promise<void> {
    this.#refusal ??= reason;
    const finished = new Promise<void>((resolve) => {
      this.#finishing = resolve;
    });
    this.#wake();
    return finished;
  }

  #finished(): void {
    this.#finishing?.();
    this.#finishing = null;
  }

  /** Rejects every open call, and every later one: the pool cannot go on. */
  fail(reason: unknown): void {
    this.#refusal ??= reason;
    this.#finished();
    this.pending.rejectAll(reason);
    this.#letGo();
  }

  /** Lets go of the memory. Open calls must be settled before. */
  close(): void {
    if (this.#closed) return;
    this.#letGo();
    this.#closed = true;
    this.memories.close();
    this.#trimmer.stop();
    this.#native.hostClose(this.handle);
  }
}
