/**
 * The worker: claims calls, runs them, publishes what they answer.
 *
 * # A round
 *
 * One native call publishes the replies so far and claims what is to run next, so nothing finished waits behind something about to
 * start. Claimed frames are read where they are. Results go into the reply buffer, without a native call.
 *
 * Synchronous tasks run one round after the other. Once a task has returned a promise, rounds come as microtasks, so that continuations
 * run in between. After `BURST` microseconds, and whenever there is nothing
 * to claim, the event loop gets its turn: timers, sockets and loggers of tasks live on.
 *
 * With nothing to claim the worker searches for a while in native code: as long as it may while that finds something, half as long after each
 * time that it did not. While a promise is open it does so `SLICE` by slice, with a turn of the event loop after each. Then it arms its
 * doorbell and leaves the thread to the event loop; the host rings.
 */
import { HardTimeoutError } from "../api/errors.ts";
import { travelsAlone } from "../codec/alone.ts";
import { ByteBuffer } from "../codec/buffer.ts";
import { Decoder } from "../codec/decode.ts";
import { Encoder } from "../codec/encode.ts";
import { CodecError } from "../codec/errors.ts";
import { DEFAULT_LIMITS } from "../codec/format.ts";
import { reduceError } from "../codec/reduce.ts";
import { ShapeReader, ShapeWriter } from "../codec/shapes.ts";
import * as layout from "../generated/layout.ts";
import { BlockReceiver, BlockSender } from "../host/blocks.ts";
import { describe } from "../host/engine-error.ts";
import { PoolMemory, wholeGranules } from "../host/memory.ts";
import { Trimmer } from "../host/trimmer.ts";
import type { Native } from "../runtime/native.ts";
import { WorkerProcessMemories } from "../shared-memory/processes.ts";
import { WorkerMemories } from "../shared-memory/worker-side.ts";
import type { WorkerBoot, WorkerNote } from "../runtime/runtime.ts";
import type { TaskFunction } from "./bind.ts";
import { isDying } from "./dying.ts";
import { Overdue } from "./overdue.ts";
import { Park } from "./park.ts";
import { Aborts } from "./tools.ts";
import type { CallTools } from "./tools.ts";

const { FRAME_HEADER, GRANULE, CONTROL_ABORTS, CONTROL_CLOCK, CONTROL_ENTRIES, FLAG_ABORT, FLAG_BLOCK, FLAG_ENGINE, FLAG_KEPT, KIND_NOTE, KIND_RESULT, KIND_THROWN, STOP } = layout;

const FIRST_OUTBOX = 64 * 1024;
/** Bytes of replies that are published without waiting for the round's end. */
const FLUSH = 16 * 1024;
/** Microseconds after which the event loop gets its turn. */
const BURST = 2000;
/**
 * Microseconds for which the worker may block in native code while a promise is open. Longer than the engine's looks keep their core (`spin.rs`): on a
 * busy machine, whom it waits for may be waiting for that very core.
 */
const SLICE = 5;
/** The shortest search is the longest by 2 to this. */
const MOST_HALVINGS = 3;
/** Bytes of slot and ticket before the argument of a call that can be aborted. */
const ABORT_BYTES = 8;

export class Loop {
  readonly #native: Native;
  readonly #handle: number;
  readonly #functions: readonly TaskFunction[];
  readonly #later: (task: () => void) => void;
  readonly #onStop: () => void;
  readonly #memory: PoolMemory;
  readonly #control: Int32Array;
  readonly #out: ByteBuffer;
  readonly #encoder: Encoder;
  readonly #decoder: Decoder;
  readonly #sender: BlockSender;
  readonly #trimmer = new Trimmer(() => this.#native.workerTrim(this.#handle));
  readonly #receiver: BlockReceiver;
  readonly #shared: WorkerMemories | WorkerProcessMemories;
  readonly #aborts: Aborts;
  /** The toolkit of the call being run. */
  #tools: CallTools | null = null;
  readonly #overdue: Overdue | null;
  readonly #limitMs: number;
  /** It was asked to end, and waits for the promises that are open. */
  #draining = false;
  /** The longest search, in microseconds, and how long the next one is. */
  readonly #spin: number;
  #patience: number;
  /** When nothing was left to claim, while a promise is open; -1 if something is. */
  #idleSince = -1;
  readonly #park: Park;
  #filled = 0;
  /** Tasks whose promises are open. */
  #open = 0;
  #queued = true;
  #running = false;
  #publishQueued = false;
  /** A thrown error is being sent without what cannot travel. */
  #reducing = false;
  #burstStart = -1;

  constructor(native: Native, boot: WorkerBoot, functions: readonly TaskFunction[], later: (task: () => void) => void, onStop: () => void, onOverdue: () => void) {
    const handle = native.workerAttach(boot.token, boot.index, boot.epoch, boot.steal);
    this.#native = native;
    this.#handle = handle;
    this.#functions = functions;
    this.#later = later;
    this.#onStop = onStop;
    this.#spin = boot.spinMicroseconds;
    this.#patience = boot.spinMicroseconds;
    this.#park = new Park(boot.parkMs, this.#onBell);
    if (boot.pauseNanoseconds > 0) native.workerPause(handle, boot.pauseNanoseconds);
    this.#overdue = boot.hardTimeoutMs === 0 ? null : new Overdue(boot.hardTimeoutMs, onOverdue);
    this.#limitMs = boot.hardTimeoutMs;
    this.#memory = new PoolMemory(native.workerFront(handle), (heap) => native.workerHeap(handle, heap));
    this.#control = new Int32Array(native.workerControl(handle));
    this.#out = new ByteBuffer(native.workerOutbox(handle, FIRST_OUTBOX), (bytes) => {
      this.#out.attach(native.workerOutbox(handle, wholeGranules(Math.max(bytes, this.#out.byteLength * 2))));
    });
    const limits = { maxDepth: DEFAULT_LIMITS.maxDepth, maxBytes: boot.maxPayloadBytes };
    this.#sender = new BlockSender(
      {
        heap: () => this.#memory.heap(boot.index + 1),
        alloc: (bytes) => native.workerAllocBlock(handle, bytes),
        free: (lo, hi) => native.workerFreeBlock(handle, lo, hi),
      },
      this.#control,
    );
    this.#receiver = new BlockReceiver(
      {
        heap: () => this.#memory.heap(0),
        hold: (lo, hi, bytes) => native.workerHoldBlock(handle, lo, hi, bytes),
        open: (lo, hi) => native.workerOpenBlock(handle, lo, hi),
        close: (lo, hi) => native.workerCloseBlock(handle, lo, hi),
      },
      this.#control,
    );
    const shared = boot.memories === null ? new WorkerProcessMemories(native) : new WorkerMemories(boot.memories, native);
    this.#shared = shared;
    this.#encoder = new Encoder(new ShapeWriter(this.#memory.shapes(boot.index), () => native.workerOwns(handle)), limits, { root: "result", blocks: this.#sender, shared });
    this.#decoder = new Decoder(new ShapeReader(this.#memory.shapes("host")), limits, { blocks: this.#receiver, shared });
    this.#aborts = new Aborts(this.#memory, (watches) => native.workerWatch(handle, watches));
    native.workerBell(handle, this.#onBell);
  }

  /** Begins to serve. */
  start(): void {
    this.#fromLoop();
  }

  /** Says something about this worker, at once, even while it dies. The host reads it before it learns of the end. */
  note(note: WorkerNote): void {
    this.#reply(KIND_NOTE, 0, 0, 0, note);
    const filled = this.#filled;
    this.#filled = 0;
    this.#native.workerPublish(this.#handle, filled);
  }

  readonly #onBell = (): void => {
    this.#park.end();
    if (this.#queued) return;
    this.#queued = true;
    try {
      this.#fromLoop();
    } catch (error) {
      // Node only warns of what a native callback throws, and the worker would be deaf from then on: it must end.
      this.#later(() => {
        throw error;
      });
    }
  };

  readonly #fromLoop = (): void => {
    this.#burstStart = -1;
    this.#rounds();
  };

  readonly #rounds = (): void => {
    this.#queued = false;
    if (isDying()) return;
    this.#running = true;
    const control = this.#control;
    for (;;) {
      const filled = this.#filled;
      this.#filled = 0;
      const claimed = this.#native.workerTurn(this.#handle, filled, this.#open > 0 ? Math.min(SLICE, this.#spin) : this.#patience);
      if (filled > 0) this.#sender.handedOver();
      if (claimed === STOP) {
        this.#running = false;
        this.#draining = true;
        this.#endIfDrained();
        return;
      }
      this.#aborts.look(control[CONTROL_ABORTS]);
      if (claimed === 0) break;
      this.#patience = this.#spin;
      this.#idleSince = -1;
      const clock = control[CONTROL_CLOCK];
      if (this.#burstStart === -1) this.#burstStart = clock;
      for (let entry = CONTROL_ENTRIES; entry < CONTROL_ENTRIES + claimed; entry++) this.#run(control[entry]);
      if (((clock - this.#burstStart) | 0) > BURST) {
        this.#publish();
        this.#again(this.#later, this.#fromLoop);
        return;
      }
      if (this.#open > 0) {
        this.#again(queueMicrotask, this.#rounds);
        return;
      }
    }
    this.#running = false;
    this.#shared.drain();
    if (this.#searchesOn(control[CONTROL_CLOCK])) {
      this.#again(this.#later, this.#fromLoop);
      return;
    }
    // Something may have been published since the last look.
    if (!this.#native.workerArm(this.#handle)) this.#again(this.#later, this.#fromLoop);
    else this.#rest();
  };

  #rest(): void {
    this.#trimmer.rest();
    this.#park.begin();
  }

  /** Whether to look again after a turn of the event loop, instead of sleeping. */
  #searchesOn(clock: number): boolean {
    if (this.#open > 0) {
      if (this.#idleSince === -1) this.#idleSince = clock;
      if (((clock - this.#idleSince) | 0) < this.#patience) return true;
    }
    this.#patience = Math.max(this.#patience >>> 1, this.#spin >>> MOST_HALVINGS);
    return false;
  }

  /** Ends for good, once nothing is left to be answered. */
  #endIfDrained(): void {
    if (!this.#draining || this.#open > 0) return;
    this.#draining = false;
    // Nothing runs here any more.
    this.#queued = true;
    this.#trimmer.stop();
    this.#native.workerClose(this.#handle);
    this.#onStop();
  }

  #again(queue: (task: () => void) => void, round: () => void): void {
    this.#running = false;
    this.#queued = true;
    queue(round);
  }

  /** Runs the call whose payload is at byte `at`. */
  #run(at: number): void {
    const { i32 } = this.#memory.front;
    const word = (at - FRAME_HEADER) >>> 2;
    const fn = i32[word + 1] & 0xffff;
    // What the reply's header says beside its kind.
    let head = fn;
    const number = i32[word + 2];
    const generation = i32[word + 3];
    let result: unknown;
    let later = false;
    let tools: CallTools | null = null;
    try {
      const flags = i32[word + 1] >>> 24;
      const arg = flags === 0 ? this.#decoder.decode(this.#memory.front, at, i32[word]) : this.#decodeFlagged(flags, at, i32[word]);
      if (this.#receiver.kept) {
        this.#receiver.kept = false;
        head |= FLAG_KEPT << 24;
      }
      const f = this.#functions[fn];
      if (f === undefined) throw new CodecError("BadOperand", `there is no function ${fn}`);
      if (this.#tools === null) {
        result = f(arg);
      } else {
        tools = this.#tools;
        this.#tools = null;
        result = f(arg, tools.tools);
      }
      // Inside: reading `then` may run the task's own code.
      later = typeof result === "object" && result !== null && typeof (result as PromiseLike<unknown>).then === "function";
      if (later) this.#await(result as PromiseLike<unknown>, head, number, generation, tools);
    } catch (error) {
      tools?.end();
      this.#reply(KIND_THROWN, head, number, generation, error);
      return;
    }
    if (later) return;
    tools?.end();
    this.#reply(KIND_RESULT, head, number, generation, result);
  }

  #await(promise: PromiseLike<unknown>, head: number, number: number, generation: number, tools: CallTools | null): void {
    let open = true;
    const settle = (kind: number) => (value: unknown) => {
      if (!open) return;
      open = false;
      this.#open--;
      this.#overdue?.end(expire);
      tools?.end();
      this.#reply(kind, head, number, generation, value);
      this.#publishSoon();
    };
    const expire = (): void =>
      settle(KIND_THROWN)(new HardTimeoutError(`The task has waited for more than ${this.#limitMs} ms (worker.hardTimeoutMs); its worker is replaced`));
    Promise.resolve(promise).then(settle(KIND_RESULT), settle(KIND_THROWN));
    this.#open++;
    this.#overdue?.begin(expire);
  }

  /** The argument of a call that lies in a block, or has an abort slot before it, or both. */
  #decodeFlagged(flags: number, at: number, bytes: number): unknown {
    if ((flags & ~(FLAG_BLOCK | FLAG_ABORT)) !== 0) throw new CodecError("BadOperand", "unknown flags of a call");
    if ((flags & FLAG_BLOCK) === 0) return this.#decodeAborted(this.#memory.front, at, bytes);
    const { i32 } = this.#memory.front;
    const word = at >>> 2;
    const [lo, hi, length] = [i32[word], i32[word + 1], i32[word + 2]];
    const [views, start] = this.#receiver.window(lo, hi, length);
    try {
      return (flags & FLAG_ABORT) === 0 ? this.#decoder.decode(views, start, length) : this.#decodeAborted(views, start, length);
    } finally {
      this.#receiver.release(lo, hi);
    }
  }

  #decodeAborted(views: ByteBuffer, at: number, bytes: number): unknown {
    if (bytes < ABORT_BYTES) throw new CodecError("Truncated", "a call that can be aborted has no abort slot");
    const arg = this.#decoder.decode(views, at + ABORT_BYTES, bytes - ABORT_BYTES);
    const { i32 } = views;
    this.#tools = this.#aborts.tools(i32[at >>> 2], i32[(at >>> 2) + 1]);
    return arg;
  }

  #reply(kind: number, head: number, number: number, generation: number, value: unknown): void {
    const start = this.#filled;
    const out = this.#out;
    let flags = 0;
    let end: number;
    try {
      if (kind === KIND_THROWN) {
        const engine = describe(value);
        if (engine !== null) {
          flags = FLAG_ENGINE;
          value = engine;
        }
      }
      end = this.#encoder.encode(value, out, start + FRAME_HEADER);
      if (this.#sender.used) end = this.#settle(value, start + FRAME_HEADER, end);
    } catch (error) {
      // An accessor of the result may have thrown anything: what it threw is tried once, then only described.
      if (kind === KIND_RESULT) this.#reply(KIND_THROWN, head, number, generation, error);
      else this.#replyRefusal(head, number, generation, value, error);
      return;
    }
    if (this.#sender.used) {
      this.#sender.sent(() => {});
      this.#trimmer.touched = true;
    } else if (end - start > FLUSH) {
      this.#trimmer.touched = true;
    }
    if (this.#shared.used) this.#shared.sent();
    const word = start >>> 2;
    const i32 = out.i32;
    i32[word] = end - start - FRAME_HEADER;
    i32[word + 1] = head | (kind << 16) | (flags << 24);
    i32[word + 2] = number;
    i32[word + 3] = generation;
    this.#filled = (end + (GRANULE - 1)) & -GRANULE;
    if (this.#filled + this.#sender.bytes >= FLUSH) this.#publish();
  }

  /** Apart: what a closure captures is allocated whenever the function around it is called. */
  #settle(value: unknown, at: number, end: number): number {
    return this.#sender.settle(end, () => this.#encoder.encode(value, this.#out, at));
  }

  /** What was thrown cannot travel itself: an error goes without what cannot, else the refusal does. */
  #replyRefusal(head: number, number: number, generation: number, thrown: unknown, error: unknown): void {
    // Once: it may be too large as well.
    const reduced = this.#reducing ? null : reduceError(thrown, travelsAlone);
    if (reduced !== null) {
      this.#reducing = true;
      this.#reply(KIND_THROWN, head, number, generation, reduced);
      this.#reducing = false;
      return;
    }
    const refusal = describe(error) === null ? new CodecError("BadOperand", "what the task threw cannot be read") : error;
    this.#reply(KIND_THROWN, head, number, generation, refusal);
  }

  /** Publishes what became ready between rounds, once for all of it. */
  #publishSoon(): void {
    if (this.#publishQueued || this.#queued || this.#running) return;
    this.#publishQueued = true;
    queueMicrotask(() => {
      this.#publishQueued = false;
      if (this.#queued || this.#running) return;
      this.#publish();
      this.#endIfDrained();
    });
  }

  #publish(): void {
    if (this.#filled === 0 || isDying()) return;
    const filled = this.#filled;
    this.#filled = 0;
    this.#native.workerPublish(this.#handle, filled);
    this.#sender.handedOver();
  }
}
