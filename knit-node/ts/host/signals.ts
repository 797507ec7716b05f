/**
 * Callers' `AbortSignal`s: one listener for each, however many calls it may abort.
 */

interface Watched {
  readonly calls: Set<() => void>;
  readonly listener: () => void;
}

export class Signals {
  readonly #watched = new Map<AbortSignal, Watched>();

  /** Has `abort` called when the signal aborts, which it has not yet. */
  watch(signal: AbortSignal, abort: () => void): void {
    let watched = this.#watched.get(signal);
    if (watched === undefined) {
      const calls = new Set<() => void>();
      const listener = (): void => {
        this.#watched.delete(signal);
        for (const each of calls) each();
      };
      watched = { calls, listener };
      this.#watched.set(signal, watched);
      signal.addEventListener("abort", listener, { once: true });
    }
    watched.calls.add(abort);
  }

  /** Not any more. */
  forget(signal: AbortSignal, abort: () => void): void {
    const watched = this.#watched.get(signal);
    if (watched === undefined) return;
    watched.calls.delete(abort);
    if (watched.calls.size > 0) return;
    signal.removeEventListener("abort", watched.listener);
    this.#watched.delete(signal);
  }
}
