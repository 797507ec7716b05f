/**
 * Whether the pool keeps the process alive: while the host sleeps with calls open, and while the end of a worker is waited for. An unused pool does not.
 */
import type { Native } from "../runtime/native.ts";

export class KeepAlive {
  readonly #native: Native;
  readonly #handle: number;
  #holds = false;
  /** Workers whose end somebody waits for. */
  #ending = 0;
  readonly #isIdle: () => boolean;
  #leaving = false;

  /** `isIdle`: whether no call is open, and the host is. */
  constructor(native: Native, handle: number, isIdle: () => boolean) {
    this.#native = native;
    this.#handle = handle;
    this.#isIdle = isIdle;
  }

  /** Calls are open, or the end of a worker is waited for. */
  hold(): void {
    if (!this.#holds) this.#native.hostKeepAlive(this.#handle, (this.#holds = true));
  }

  /** No call is open. */
  letGo(): void {
    if (this.#holds && this.#ending === 0) this.#native.hostKeepAlive(this.#handle, (this.#holds = false));
  }

  /** No call is open just now: lets go after the program has had its answer, unless it has called again by then. */
  letGoSoon(): void {
    if (!this.#holds || this.#leaving) return;
    this.#leaving = true;
    queueMicrotask(this.#leave);
  }

  readonly #leave = (): void => {
    this.#leaving = false;
    if (this.#isIdle()) this.letGo();
  };

  /** One more worker to wait for, or one less. Returns whether there is one. */
  count(change: 1 | -1): boolean {
    this.#ending += change;
    return this.#ending > 0;
  }
}
