/**
 * What workers answer: replies read in place, each with the tables of its worker, and settled.
 *
 * A worker whose ring or frames are damaged is not read any more: it is to be ended, and only its own calls are lost. What one frame says within its bounds
 * may be nonsense, too: then its call rejects.
 */
import { KnitError, UnsupportedValueError } from "../api/errors.ts";
import type { ByteBuffer } from "../codec/buffer.ts";
import { Decoder } from "../codec/decode.ts";
import { CodecError } from "../codec/errors.ts";
import type { Limits } from "../codec/format.ts";
import { ShapeReader } from "../codec/shapes.ts";
import * as layout from "../generated/layout.ts";
import type { Native } from "../runtime/native.ts";
import type { WorkerNote } from "../runtime/runtime.ts";
import type { Memories } from "../shared-memory/host-side.ts";
import { BlockReceiver } from "./blocks.ts";
import { revive } from "./engine-error.ts";
import type { PoolMemory } from "./memory.ts";
import type { Pending } from "./pending.ts";

const { FRAME_HEADER, GRANULE, CONTROL_DAMAGED, CONTROL_ENTRIES, SPAN_WORDS, KIND_NOTE, KIND_RESULT, KIND_THROWN, KIND_PAD, FLAG_BLOCK, FLAG_ENGINE, FLAG_KEPT, FLAG_TEXT } = layout;

/** A program in another language does not know what this side takes: a result over a limit is refused here, and is no damage. */
function overLimit(error: unknown, { maxBytes, maxDepth }: Limits): unknown {
  if (!(error instanceof CodecError)) return error;
  const { reason } = error;
  const [kind, wayOut] =
    reason === "TooLarge" ? [`value of more than ${maxBytes} bytes`, ". Send it in parts, or raise payload.maxPayloadBytes"] : reason === "TooDeep" ? [`value nested deeper than ${maxDepth} levels`, ""] : ["", ""];
  return kind === "" ? error : new UnsupportedValueError("KNT_ERROR_3", "result", kind, `A task of worker.command has returned what cannot be taken, a ${kind}${wayOut}`);
}

export class Replies {
  readonly #native: Native;
  readonly #handle: number;
  readonly #control: Int32Array;
  readonly #memory: PoolMemory;
  readonly #memories: Memories | null;
  /** Hears what worker processes say about themselves. */
  onNote: ((worker: number, note: WorkerNote) => void) | null = null;
  /** Hears of workers that must be ended, each once. */
  onDamage: ((worker: number, how: CodecError) => void) | null = null;
  readonly #damaged = new Set<number>();
  /** What a call rejects with, of what its task has thrown. */
  explain: ((thrown: unknown) => unknown) | null = null;
  readonly #pending: Pending;
  readonly #limits: Limits;
  readonly #decoders: Decoder[] = [];
  readonly #receivers: BlockReceiver[] = [];

  constructor(native: Native, handle: number, control: Int32Array, memory: PoolMemory, memories: Memories | null, pending: Pending, limits: Limits) {
    this.#native = native;
    this.#handle = handle;
    this.#control = control;
    this.#memory = memory;
    this.#memories = memories;
    this.#pending = pending;
    this.#limits = limits;
  }

  /** A new worker begins with empty tables. */
  begin(worker: number): void {
    this.#damaged.delete(worker);
    const table = this.#memory.shapes(worker);
    table.fill(0);
    const native = this.#native;
    const blocks = new BlockReceiver(
      {
        heap: () => this.#memory.heap(worker + 1),
        hold: (lo, hi, bytes) => native.hostHoldBlock(this.#handle, worker, lo, hi, bytes),
        open: (lo, hi) => native.hostOpenBlock(this.#handle, worker, lo, hi),
        close: (lo, hi) => native.hostCloseBlock(this.#handle, worker, lo, hi),
      },
      this.#control,
    );
    this.#receivers[worker] = blocks;
    const shared = this.#memories === null ? {} : { shared: this.#memories.reader(worker) };
    this.#decoders[worker] = new Decoder(new ShapeReader(table), this.#limits, { blocks, ...shared });
  }

  /** Takes what a turn has found: so many spans of the control block, and perhaps a worker that has damaged its ring. */
  receive(spans: number): void {
    const damaged = this.#control[CONTROL_DAMAGED];
    if (spans > 0) this.#settle(spans);
    if (damaged !== 0) this.#distrust(damaged - 1, "its reply ring");
  }

  #distrust(worker: number, what: string): void {
    if (this.#damaged.has(worker)) return;
    this.#damaged.add(worker);
    this.onDamage?.(worker, new CodecError("Truncated", `${what} in shared memory is damaged`));
  }

  #settle(spans: number): void {
    const control = this.#control;
    const { i32 } = this.#memory.front;
    const pending = this.#pending;
    for (let entry = CONTROL_ENTRIES; spans > 0; entry += SPAN_WORDS, spans--) {
      const worker = control[entry];
      if (this.#damaged.size > 0 && this.#damaged.has(worker)) continue;
      const decoder = this.#decoders[worker];
      let at = control[entry + 1];
      const end = control[entry + 2];
      while (at < end) {
        const word = at >>> 2;
        const bytes = i32[word];
        const next = at + ((FRAME_HEADER + bytes + (GRANULE - 1)) & -GRANULE);
        if (bytes < 0 || next > end) {
          this.#distrust(worker, "a reply");
          break;
        }
        const what = i32[word + 1];
        const kind = (what >>> 16) & 0xff;
        if (kind !== KIND_PAD) {
          const number = i32[word + 2];
          const generation = i32[word + 3];
          const flags = what >>> 24;
          if ((flags & FLAG_KEPT) !== 0) this.#native.hostKept(this.#handle, worker, number);
          let value: unknown;
          let ok = kind === KIND_RESULT;
          try {
            value =
              (flags & FLAG_TEXT) !== 0
                ? this.#nativeFailure(worker, (flags & FLAG_BLOCK) !== 0, at + FRAME_HEADER, bytes)
                : (flags & FLAG_BLOCK) === 0
                  ? decoder.decode(this.#memory.front, at + FRAME_HEADER, bytes)
                  : this.#decodeBlock(decoder, worker, at + FRAME_HEADER);
            if (kind === KIND_THROWN && (flags & FLAG_ENGINE) !== 0) value = revive(value);
          } catch (error) {
            value = ok && this.#memories === null ? overLimit(error, this.#limits) : error;
            ok = false;
          }
          // One that nobody waits for any more is read all the same: its blocks and shapes must be.
          if (ok) pending.answer(number, generation, value);
          else if (kind === KIND_NOTE) this.onNote?.(worker, value as WorkerNote);
          else pending.answerThrown(number, generation, this.explain === null ? value : this.explain(value));
        }
        at = next;
      }
    }
  }

  /** Why a program in another language could not run a task to its end: a text. */
  #nativeFailure(worker: number, inBlock: boolean, at: number, bytes: number): KnitError {
    const text = (views: ByteBuffer, start: number, length: number): KnitError =>
      new KnitError("KNT_FAILED", new TextDecoder().decode(views.u8.slice(start, start + length)));
    if (!inBlock) return text(this.#memory.front, at, bytes);
    const { i32 } = this.#memory.front;
    const word = at >>> 2;
    const [lo, hi, length] = [i32[word], i32[word + 1], i32[word + 2]];
    const blocks = this.#receivers[worker];
    const [views, start] = blocks.window(lo, hi, length);
    try {
      return text(views, start, length);
    } finally {
      blocks.release(lo, hi);
    }
  }

  #decodeBlock(decoder: Decoder, worker: number, at: number): unknown {
    const { i32 } = this.#memory.front;
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
}
