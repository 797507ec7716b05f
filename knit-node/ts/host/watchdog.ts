/**
 * `worker.hardTimeoutMs`: finds workers that one call has occupied for too long.
 *
 * One timer, and only while calls are open. It fires when the call that has run longest may have run too long, so no sooner than needed.
 *
 * A call that waits for promises occupies nobody; its worker watches it (`worker/overdue.ts`). If its continuation never ends, the worker takes no turns:
 * it is nudged, and if it takes none for so long either, it is stuck.
 */
import { CONTROL_ENTRIES } from "../generated/layout.ts";
import type { Native } from "../runtime/native.ts";
import { DeadlineTimer } from "./deadline-timer.ts";

/** Who ends a worker. */
export interface Ender {
  /** A call has run too long there. */
  overrun(worker: number, number: number, generation: number): void;
  /** It takes no turns, and it is not known because of which call. */
  stuck(worker: number): void;
}

interface Seen {
  turns: number;
  /** When it was nudged first with that many turns; -1 if it was not. */
  nudged: number;
}

export class Watchdog {
  readonly #native: Native;
  readonly #handle: number;
  readonly #control: Int32Array;
  readonly #limit: number;
  readonly #busy: () => boolean;
  readonly #ender: Ender;
  readonly #seen: Seen[];
  readonly #timer = new DeadlineTimer(() => this.#look());
  #watching = false;

  /** `busy` tells whether calls are open, or were given up and still run. */
  constructor(native: Native, handle: number, control: Int32Array, workers: number, limit: number, busy: () => boolean, ender: Ender) {
    this.#native = native;
    this.#handle = handle;
    this.#control = control;
    this.#limit = limit;
    this.#busy = busy;
    this.#ender = ender;
    this.#seen = Array.from({ length: workers }, () => ({ turns: 0, nudged: -1 }));
  }

  /** There are calls. */
  watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#timer.within(this.#limit);
  }

  /** Forgets what it saw of a worker: another has its place. */
  forget(worker: number): void {
    (this.#seen[worker] as Seen).nudged = -1;
  }

  stop(): void {
    this.#watching = true;
    this.#timer.stop();
  }

  #look(): void {
    if (!this.#busy()) {
      this.#watching = false;
      return;
    }
    let next = this.#limit;
    for (let worker = 0; worker < this.#seen.length; worker++) next = Math.min(next, this.#check(worker));
    this.#timer.within(Math.max(Math.ceil(next), 1));
  }

  /** Milliseconds until this worker must be looked at again. */
  #check(worker: number): number {
    const since = this.#native.hostRunning(this.#handle, worker);
    const seen = this.#seen[worker] as Seen;
    if (since >= 0) {
      seen.nudged = -1;
      if (since < this.#limit) return this.#limit - since;
      this.#ender.overrun(worker, this.#control[CONTROL_ENTRIES] as number, this.#control[CONTROL_ENTRIES + 1] as number);
      return this.#limit;
    }
    const now = performance.now();
    const turns = this.#native.hostTurns(this.#handle, worker);
    if (seen.nudged < 0 || turns !== seen.turns) {
      seen.turns = turns;
      seen.nudged = now;
      this.#native.hostNudge(this.#handle, worker);
    } else if (now - seen.nudged >= this.#limit) {
      seen.nudged = -1;
      this.#ender.stuck(worker);
    }
    return this.#limit;
  }
}
