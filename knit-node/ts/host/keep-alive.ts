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

  constructor(native: Native, handle: number) {
    this.#native = native;
    this.#handle = handle;
  }

  /** Calls are open, or the end of a worker is waited for. */
  hold(): void {
    if (!this.#holds) this.#native.hostKeepAlive(this.#handle, (this.#holds = true));
  }

  /** No call is open. */
  letGo(): void {
    if (this.#holds && this.#ending === 0) this.#native.hostKeepAlive(this.#handle, (this.#holds = false));
  }

  /** One more worker to wait for, or one less. Returns whether there is one. */
  count(change: 1 | -1): boolean {
    this.#ending += change;
    return this.#ending > 0;
  }
}
