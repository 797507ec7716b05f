/**
 * The host: encodes calls, hands them over once a turn, and settles what comes back.
 *
 * # A turn
 *
 * 1. `call` takes a number and writes a frame into the submission buffer: no native call. The first one of a tick queues the turn as a
 *    microtask; a long tick hands over what it has so far every `FLUSH` bytes, so that workers start meanwhile.
 * 2. The turn hands over and looks for replies, one native call for both. While replies come it goes on in microtasks,
 *    so that the continuations of what it settled run in between.
 * 3. Nothing came a few times: it spins once, for as long as recent replies took (the engine keeps the limit). If they took long, it sleeps at once.
 * 4. Still nothing: a few polls, one a turn of the event loop. Then the host arms its doorbell and lets the loop sleep. Whoever publishes
 *    a reply then rings it. No timer is involved anywhere.
 *
 * Microtasks starve the event loop: once it has waited for a while (`loop-watch.ts`), the next turn of the host comes from it.
 *
 * # Who keeps the process alive
 *
 * The bell does while the host sleeps with calls open (`keep-alive.ts`), a queued turn does while it polls; an unused pool does not.
 */
import type { Debug } from "../api/debug.ts";
import { QueueFullError } from "../api/errors.ts";
import { statsOf } from "../api/stats.ts";
import type { PoolStats } from "../api/stats.ts";
import { DEFAULT_LIMITS } from "../codec/format.ts";
import { CONTROL_CLOCK, CONTROL_ENTRIES, CONTROL_FAR } from "../generated/layout.ts";
import type { Native } from "../runtime/native.ts";
import { HostMemories } from "../shared-memory/host-side.ts";
import type { Memories } from "../shared-memory/host-side.ts";
import { ProcessMemories } from "../shared-memory/processes.ts";
import { Controls } from "./controls.ts";
import type { TaskControl } from "./controls.ts";
import { InlineLane } from "./inline.ts";
import type { InlineFunction } from "./inline.ts";
import { KeepAlive } from "./keep-alive.ts";
import { LoopWatch } from "./loop-watch.ts";
import { PoolMemory } from "./memory.ts";
import { Outbox } from "./outbox.ts";
import { Pending } from "./pending.ts";
import { QueueLimit } from "./queue-limit.ts";
import { Replies } from "./replies.ts";
import { createHost } from "./settings.ts";
import type { HostSettings } from "./settings.ts";
import { Trimmer } from "./trimmer.ts";
import { Watchdog } from "./watchdog.ts";
import type { Ender } from "./watchdog.ts";

/** Looks in microtasks without a reply before the host spins. */
const LOOKS = 4;
/** Microseconds that the second look may take already: nobody has made a call since the first. A task that does next to nothing is answered in that time. */
const GLANCE = 2;
/** Polls from the event loop without a reply before the host sleeps. */
const POLLS = 3;
/** The longest spin; the engine's own limit is mostly shorter. */
const SPIN = 50;

export class Host {
  readonly handle: number;
  readonly memory: PoolMemory;
  readonly pending = new Pending();
  /** Shared memory in values; none to programs in other languages. */
  readonly memories: Memories | null;
  readonly replies: Replies;
  /** Looks for processes that have ended; called at each bell. */
  onExits: (() => void) | null = null;
  /** Hears that calls wait and the event loop goes to sleep. */
  onWait: (() => void) | null = null;
  readonly #native: Native;
  readonly #later: (task: () => void) => void;
  readonly #control: Int32Array;
  readonly #trimmer = new Trimmer(() => this.#native.hostTrim(this.handle));
  readonly #outbox: Outbox;
  readonly #controls: Controls;
  readonly #queueLimit: QueueLimit | null;
  readonly #loop: LoopWatch;
  readonly #alive: KeepAlive;
  #watchdog: Watchdog | null = null;
  #figures: Float64Array | null = null;
  #queued = false;
  #misses = 0;
  #closed = false;
  /** Why no call is taken any more. */
  #refusal: unknown = null;
  /** Calls whose argument is awaited first. */
  #awaited = 0;
  /** Resolves when no call is open, if somebody waits for that. */
  #finishing: (() => void) | null = null;
  /** The host's own lane, if it has one. */
  readonly #inline: InlineLane | null;

  constructor(native: Native, settings: HostSettings, later: (task: () => void) => void, functions: readonly InlineFunction[], debug: Debug) {
    this.#native = native;
    this.#later = later;
    this.#loop = new LoopWatch(later);
    const handle = createHost(native, settings);
    this.handle = handle;
    this.#alive = new KeepAlive(native, handle, () => this.pending.open === 0 && !this.#closed);
    this.memory = new PoolMemory(native.hostFront(handle), (heap) => native.hostHeap(handle, heap));
    const control = new Int32Array(native.hostControl(handle));
    this.#control = control;
    const limits = { maxDepth: DEFAULT_LIMITS.maxDepth, maxBytes: settings.maxPayloadBytes };
    const rouse = (): void => {
      if (!this.#closed) native.hostRouse(handle);
    };
    // Programs in other languages have no such values.
    this.memories = settings.process === null ? new HostMemories(native, rouse) : settings.process.command === null ? new ProcessMemories(native, handle) : null;
    const { memory, memories, pending } = this;
    const turns = { poll: () => this.#poll(), wrote: () => this.#wrote(), idle: () => this.#wake() };
    // Other programs read messages whole; the engine moves long ones in blocks all the same.
    const blocks = settings.process?.command == null;
    this.#outbox = new Outbox(native, handle, control, memory, memories, pending, limits, this.#trimmer, () => this.#wake(), blocks);
    this.replies = new Replies(native, handle, control, memory, memories, pending, limits);
    this.#controls = new Controls(native, handle, control, memory, settings.abortCapacity, pending, this.#outbox, turns, debug);
    const waiting = (): number => {
      // Some of those in the buffer may have been removed.
      this.#submitEarly();
      return native.hostQueued(handle) + this.#outbox.calls;
    };
    this.#queueLimit = settings.maxQueue === Infinity ? null : new QueueLimit(settings.maxQueue, waiting);
    this.#inline = settings.inliner === null ? null : new InlineLane(functions, settings.threads, settings.inliner, limits, pending);
    native.hostBell(handle, this.#onBell, settings.process !== null);
  }

  /** Watches for calls that occupy a worker for longer than `ms`. */
  watchOverruns(workers: number, ms: number, ender: Ender): void {
    const busy = (): boolean => this.pending.open + this.pending.abandoned > 0;
    this.#watchdog = new Watchdog(this.#native, this.handle, this.#control, workers, ms, busy, ender);
  }

  /** What the pool has done so far. */
  stats(): PoolStats {
    if (!this.#closed) this.#measure();
    return statsOf(this.#figures as Float64Array, this.#inline?.ran ?? 0);
  }

  #measure(): void {
    this.#submitEarly();
    this.#figures ??= new Float64Array(this.#native.hostFigures(this.handle));
    this.#native.hostMeasure(this.handle);
  }

  /** Opens a worker's place; returns its epoch. */
  begin(worker: number): number {
    this.replies.begin(worker);
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

  /** As `call`, for a call that may end before its answer. It never runs on the host, which could not watch itself. */
  callControlled(fn: number, control: TaskControl, value: unknown, signal: AbortSignal | null): Promise<unknown> {
    return this.#controls.call(fn, control, value, signal, this.#refusal ?? this.#overfull());
  }

  /** Why one call more cannot wait, if it cannot. */
  #overfull(): QueueFullError | null {
    return this.#queueLimit === null || this.#queueLimit.admits() ? null : new QueueFullError(this.#queueLimit.max);
  }

  #send(fn: number, value: unknown): Promise<unknown> {
    if (this.#inline !== null && this.#inline.takes(fn)) {
      this.#wake();
      return this.#inline.call(fn, value);
    }
    if (this.#queueLimit !== null && !this.#queueLimit.admits()) return Promise.reject(new QueueFullError(this.#queueLimit.max));
    const promise = this.#outbox.write(fn, value);
    this.#wrote();
    return promise;
  }

  /** Something is in the submission buffer. */
  #wrote(): void {
    if (!this.#queued || this.#outbox.isLong) this.#handOver();
    this.#watchdog?.watch();
  }

  #handOver(): void {
    // A message is being written around it: what was written goes out with that.
    if (this.#outbox.busy) return;
    if (!this.#queued) this.#queue();
    if (this.#outbox.isLong) this.#submit();
  }

  /** A buffer in the pool's memory, to be filled and sent without being copied. */
  alloc(bytes: number): Uint8Array {
    const buffer = this.#refusal === null && !this.#closed ? this.#native.hostLendBlock(this.handle, bytes) : null;
    return this.#outbox.lend(buffer ?? new ArrayBuffer(bytes), buffer !== null);
  }

  /** Queues a turn, unless one is. */
  #wake(): void {
    if (!this.#queued) this.#queue();
  }

  #queue(): void {
    this.#queued = true;
    if (this.#loop.isDue) this.#later(this.#turnFromLoop);
    else queueMicrotask(this.#turn);
  }

  /** Hands over what there is before its turn. With nothing to hand over no turn is queued, and the doorbell must stay as it is. */
  #submitEarly(): void {
    if (this.#outbox.calls > 0 && !this.#outbox.busy) this.#submit();
  }

  #submit(): void {
    try {
      this.#native.hostSubmit(this.handle, this.#outbox.take());
      this.#outbox.handedOver();
    } catch (error) {
      this.fail(error);
    }
  }

  readonly #onBell = (): void => {
    // Some runtimes deliver a ring that came before the bell was taken off.
    if (this.#closed) return;
    this.onExits?.();
    this.#misses = 0;
    if (this.#queued) return;
    this.#queued = true;
    this.#turnFromLoop();
  };

  readonly #turnFromLoop = (): void => {
    this.#loop.turned();
    this.#turn();
  };

  readonly #turn = (): void => {
    if (this.#closed) return;
    this.#queued = false;
    const filled = this.#outbox.take();
    if (filled > 0) this.#misses = 0;
    try {
      const spans = this.#native.hostTurn(this.handle, filled, this.#misses === 1 ? GLANCE : this.#misses === LOOKS ? SPIN : 0);
      if (filled > 0) this.#outbox.handedOver();
      this.replies.receive(spans);
      // The workers have theirs.
      if (this.#inline !== null && !this.#inline.isEmpty) this.#inline.run();
      this.#goOn(spans, filled > 0);
    } catch (error) {
      this.fail(error);
    }
  };

  /** When to look again, after a turn that found so many spans, and handed calls over or did not. */
  #goOn(spans: number, handedOver: boolean): void {
    if (spans > 0) this.#misses = 0;
    else this.#misses++;
    if (this.pending.open === 0) {
      this.#letGo();
      // Calls that were given up are answered some time; their numbers and slots wait for that.
      if (this.pending.abandoned === 0) return this.#loop.rest(this.#control[CONTROL_CLOCK]);
    }
    this.#loop.look(this.#control[CONTROL_CLOCK]);
    if (this.#queued) return;
    if (handedOver && spans === 0 && this.#control[CONTROL_FAR] === 1) {
      this.#sleep();
    } else if (this.#misses <= LOOKS) {
      this.#queue();
    } else if (this.#misses <= LOOKS + POLLS) {
      this.#queued = true;
      this.#later(this.#turnFromLoop);
    } else {
      this.#sleep();
    }
  }

  #sleep(): void {
    if (this.#native.hostArm(this.handle)) {
      if (this.pending.open > 0) {
        this.#alive.hold();
        this.onWait?.();
      }
      this.#trimmer.rest();
      return;
    }
    // There is something to take.
    this.#queue();
  }

  /** Nothing is open: this pool keeps no process alive. */
  #letGo(): void {
    this.#trimmer.rest();
    if (this.#awaited === 0) this.#finished();
    this.#alive.letGoSoon();
  }

  /** Hands over and takes what there is, at once; false if there was nothing to take. */
  #poll(): boolean {
    // In the middle of a message: an accessor of an argument has called.
    if (this.#outbox.busy) return false;
    const spans = this.#native.hostTurn(this.handle, this.#outbox.take(), 0);
    this.#outbox.handedOver();
    this.replies.receive(spans);
    return spans > 0;
  }

  /** Settles a worker's death: what it has answered counts, what it had taken rejects. */
  retire(worker: number, reason: unknown): void {
    if (this.#closed) return;
    try {
      while (this.#poll());
      this.#watchdog?.forget(worker);
      for (const number of this.#native.hostRetire(this.handle, worker)) this.pending.rejectNumber(number, reason);
      this.memories?.detach(worker);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#wake();
  }

  /** Receives everything that workers have published. */
  collect(): void {
    if (this.#closed) return;
    try {
      while (this.#poll());
    } catch (error) {
      this.fail(error);
    }
  }

  /** Keeps the process alive until a worker has ended: one more to wait for, or one less. */
  awaitEnd(change: 1 | -1): void {
    const some = this.#alive.count(change);
    if (this.#closed) return;
    if (some) this.#alive.hold();
    else this.#wake();
  }

  /** Whether a worker still runs that call. */
  isRunning(worker: number, number: number, generation: number): boolean {
    if (this.#native.hostRunning(this.handle, worker) < 0) return false;
    return this.#control[CONTROL_ENTRIES] === number && this.#control[CONTROL_ENTRIES + 1] === generation;
  }

  /** Rejects a call that a worker runs, which is about to be ended. */
  giveUp(number: number, generation: number, reason: unknown): void {
    if (this.pending.has(number, generation)) this.#controls.giveUp(number, generation, reason);
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
    this.#alive.letGo();
    this.#watchdog?.stop();
    this.#measure();
    this.#closed = true;
    this.memories?.close();
    this.#trimmer.stop();
    this.#controls.close();
    this.#native.hostClose(this.handle);
    this.memory.close((buffer) => hide(this.#native, buffer));
  }
}

/** Takes back memory that the engine shows. */
function hide(native: Native, buffer: ArrayBuffer): void {
  if (native.memoryHide !== undefined) native.memoryHide(buffer);
  // What the engine has on it is dropped with the buffer's memory.
  else buffer.transfer(0);
}
