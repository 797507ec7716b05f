/**
 * Calls that may end before their answer: with a deadline, a signal, or a promise that can be rejected.
 *
 * # A call's way
 *
 * 1. It takes a number, a promise, and an abort slot if its task wants one. The deadline runs and the signal is watched from here on, also
 *    while an argument is awaited.
 * 2. Its frame goes into the submission buffer.
 * 3. It is answered; or it *ends early*: the slot is set, so the task knows. If no worker has taken the call, it is removed and never runs. Else it
 *    is given up: its promise is settled, and number and slot stay its own until the worker answers or dies.
 *
 * Calls of tasks without any of this never come here.
 */
import type { AbortablePromise } from "../api/abort.ts";
import type { Debug } from "../api/debug.ts";
import { AbortSlotsExhaustedError } from "../api/errors.ts";
import { isPromise } from "../api/promise.ts";
import type { Timeout } from "../api/timeout.ts";
import { CALL_WORDS, CONTROL_ENTRIES, HEADER_ABORT_WORDS } from "../generated/layout.ts";
import type { Native } from "../runtime/native.ts";
import { DeadlineTimer } from "./deadline-timer.ts";
import type { PoolMemory } from "./memory.ts";
import type { AbortSlot, Outbox } from "./outbox.ts";
import type { Pending } from "./pending.ts";
import { Signals } from "./signals.ts";

/** What a task asks for. */
export interface TaskControl {
  /** Its name in this pool. */
  readonly key: string;
  readonly timeout: Timeout | null;
  readonly abortable: boolean;
}

/** One call. */
interface Controlled {
  readonly number: number;
  readonly generation: number;
  readonly control: TaskControl;
  readonly slot: AbortSlot | null;
  readonly signal: AbortSignal | null;
  readonly onSignal: () => void;
  /** Its frame is in the submission buffer, or beyond. */
  sent: boolean;
  /** It was settled while a worker may run it. */
  givenUp: boolean;
  /** Lets go of what its argument names. */
  release: (() => void) | null;
}

/** What this needs of the host. */
export interface Turns {
  /** Looks for replies now, if that can be done. */
  poll(): void;
  /** Something was written. */
  wrote(): void;
  /** The last open call was settled. */
  idle(): void;
}

export class Controls {
  readonly #native: Native;
  readonly #handle: number;
  readonly #control: Int32Array;
  readonly #abortWords: Int32Array;
  readonly #capacity: number;
  readonly #pending: Pending;
  readonly #outbox: Outbox;
  readonly #turns: Turns;
  readonly #debug: Debug;
  readonly #timer = new DeadlineTimer(() => this.#expire());
  readonly #signals = new Signals();
  /** Calls with a deadline, by number. */
  readonly #timed: (Controlled | undefined)[] = [];

  constructor(
    native: Native,
    handle: number,
    control: Int32Array,
    memory: PoolMemory,
    capacity: number,
    pending: Pending,
    outbox: Outbox,
    turns: Turns,
    debug: Debug,
  ) {
    this.#native = native;
    this.#handle = handle;
    this.#control = control;
    const at = memory.front.i32[HEADER_ABORT_WORDS >>> 2] >>> 2;
    this.#abortWords = memory.front.i32.subarray(at, at + capacity);
    this.#capacity = capacity;
    this.#pending = pending;
    this.#outbox = outbox;
    this.#turns = turns;
    this.#debug = debug;
  }

  /** Calls a function; or refuses to, if there is a reason. */
  call(fn: number, control: TaskControl, value: unknown, signal: AbortSignal | null, refusal: unknown): Promise<unknown> {
    if (refusal !== null) return rejected(refusal, control.abortable);
    if (signal?.aborted === true) return rejected(signal.reason, control.abortable);
    const slot = control.abortable ? this.#takeSlot() : null;
    if (control.abortable && slot === null) return rejected(new AbortSlotsExhaustedError(this.#capacity), true);
    const number = this.#pending.take();
    const promise = this.#pending.promise();
    const call: Controlled = {
      number,
      generation: this.#pending.generations[number],
      control,
      slot,
      signal,
      onSignal: () => this.#abort(call, signal?.reason),
      sent: false,
      givenUp: false,
      release: null,
    };
    this.#pending.beforeSettling(number, () => this.#onSettling(call));
    if (signal !== null) this.#signals.watch(signal, call.onSignal);
    if (control.timeout !== null) this.#schedule(call, control.timeout.ms);
    if (control.abortable) makeAbortable(promise, (reason) => (reason === undefined ? this.#tell(call) : this.#abort(call, reason)));
    if (typeof value === "object" && isPromise(value)) {
      value.then(
        (argument) => this.#send(call, fn, argument),
        (error: unknown) => this.#refuse(call, error),
      );
    } else {
      this.#send(call, fn, value);
    }
    return promise;
  }

  /** Rejects an open call that a worker has. */
  giveUp(number: number, generation: number, reason: unknown): void {
    this.#pending.giveUp(number, generation, Promise.reject(reason), () => {});
    if (this.#pending.open === 0) this.#turns.idle();
  }

  /** The pool is at its end. */
  close(): void {
    this.#timer.stop();
  }

  #send(call: Controlled, fn: number, value: unknown): void {
    // It may have ended while its argument was awaited.
    if (!this.#pending.has(call.number, call.generation)) return;
    try {
      call.release = this.#outbox.writeNumbered(fn, value, call.number, call.slot);
    } catch (error) {
      this.#refuse(call, error);
      return;
    }
    call.sent = true;
    this.#turns.wrote();
  }

  /** It was never sent. */
  #refuse({ number, generation }: Controlled, error: unknown): void {
    this.#pending.reject(number, generation, error);
    if (this.#pending.open === 0) this.#turns.idle();
  }

  #takeSlot(): AbortSlot | null {
    let slot = this.#native.hostTakeAbort(this.#handle);
    if (slot < 0 && this.#pending.abandoned > 0) {
      // Calls that were given up may have been answered by now.
      this.#turns.poll();
      slot = this.#native.hostTakeAbort(this.#handle);
    }
    return slot < 0 ? null : { slot, ticket: Atomics.load(this.#abortWords, slot) };
  }

  #onSettling(call: Controlled): void {
    const { number, signal, control } = call;
    if (control.timeout !== null) {
      this.#timed[number] = undefined;
      this.#native.hostCancelDeadline(this.#handle, number);
    }
    if (signal !== null) this.#signals.forget(signal, call.onSignal);
    if (!call.givenUp) this.#onOver(call);
  }

  /** No worker has it. */
  #onOver({ slot, release }: Controlled): void {
    release?.();
    if (slot !== null) this.#native.hostReleaseAbort(this.#handle, slot.slot, slot.ticket);
  }

  /** Only the worker is told: its answer decides. */
  #tell({ number, generation, slot }: Controlled): void {
    if (slot !== null && this.#pending.has(number, generation)) this.#native.hostAbort(this.#handle, slot.slot, slot.ticket);
  }

  #abort(call: Controlled, reason: unknown): void {
    if (!this.#pending.has(call.number, call.generation)) return;
    this.#debug.signals?.(`task "${call.control.key}": a call is aborted`);
    this.#endEarly(call, reason, true);
  }

  /** Settles an open call, whatever has become of it. */
  #endEarly(call: Controlled, outcome: unknown, rejects: boolean): void {
    const { number, generation } = call;
    this.#tell(call);
    const over = !call.sent || this.#native.hostCancel(this.#handle, number, generation);
    const value = rejects ? Promise.reject(outcome) : outcome;
    if (over) {
      this.#pending.resolve(number, generation, value);
    } else {
      call.givenUp = true;
      this.#pending.giveUp(number, generation, value, () => this.#onOver(call));
    }
    // Else the next answer brings a turn.
    if (this.#pending.open === 0) this.#turns.idle();
  }

  #schedule(call: Controlled, ms: number): void {
    const whole = Math.ceil(ms);
    this.#timed[call.number] = call;
    this.#native.hostDeadline(this.#handle, call.number, call.generation, whole);
    this.#timer.within(whole);
  }

  #expire(): void {
    for (;;) {
      const expired = this.#native.hostExpire(this.#handle);
      if (expired === 0) break;
      // Copied: ending a call uses the control block.
      const words = this.#control.slice(CONTROL_ENTRIES, CONTROL_ENTRIES + expired * CALL_WORDS);
      for (let i = 0; i < words.length; i += CALL_WORDS) this.#onExpired(words[i], words[i + 1]);
    }
    const next = this.#native.hostNextDeadline(this.#handle);
    if (next >= 0) this.#timer.within(Math.max(next, 1));
  }

  #onExpired(number: number, generation: number): void {
    const call = this.#timed[number];
    if (call?.generation !== generation || !this.#pending.has(number, generation)) return;
    const { key, timeout } = call.control;
    const { rejects, outcome } = timeout as Timeout;
    this.#debug.signals?.(`task "${key}": a call has timed out after ${timeout?.ms} ms`);
    this.#endEarly(call, outcome(key), rejects);
  }
}

function rejected(reason: unknown, abortable: boolean): Promise<never> {
  const promise = Promise.reject(reason) as Promise<never>;
  if (abortable) makeAbortable(promise, () => {});
  return promise;
}

function makeAbortable(promise: Promise<unknown>, reject: (reason?: unknown) => void): asserts promise is AbortablePromise<unknown> {
  Object.defineProperty(promise, "reject", { value: reject, configurable: true });
}
