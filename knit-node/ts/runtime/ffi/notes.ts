/**
 * Bells that are notes, for pools of threads: whoever rings is in a call of the engine, and finds in its thread's list whom it has rung
 * (`knit-ffi/src/bell.rs`). It adds one to that participant's word and wakes it; the participant sleeps in `Atomics.waitAsync` on that word.
 *
 * No ring is lost: a sleeper waits for the word to be another than the number of rings it has heard, so one that came before it listens is seen then.
 *
 * Every thread of the pool has the same words, and looks into its list after each call about a host or worker (`FfiNative`).
 */
import { NOTES } from "./abi.ts";
import type { LoopBell, Notes } from "./bells.ts";
import { lazily } from "./library.ts";
import type { Library } from "./library.ts";

/** Words from one participant's to the next: 128 bytes, so that no two share a line. */
const STRIDE = 32;
/** Milliseconds of a timer that never fires: it keeps an event loop alive. */
const FOREVER = 0x7fff_ffff;

/** New words for a pool of so many workers. */
export function notesOf(pool: number, workers: number): Notes {
  return { pool, words: new Int32Array(new SharedArrayBuffer((workers + 1) * STRIDE * 4)) };
}

/** This thread's list, and who is to be woken by it. */
export class NoteBook {
  readonly #notes: () => { knit_rung_clear(): number };
  /** Word 0: how many were rung; then pool and participant of each. */
  readonly list: Int32Array;
  readonly #pools = new Map<number, Int32Array>();

  constructor(library: Library, memory: (take: (out: Uint32Array) => number) => ArrayBuffer) {
    const notes = lazily(library, NOTES);
    this.#notes = notes;
    this.list = new Int32Array(memory((out) => notes().knit_rung(out)));
  }

  /** From now on participants of this pool can be rung here. */
  open({ pool, words }: Notes): void {
    this.#pools.set(pool, words);
  }

  close(pool: number): void {
    this.#pools.delete(pool);
  }

  /** Wakes all who were rung. */
  deliver(): void {
    const { list } = this;
    do {
      for (let at = 1; at <= 2 * list[0]!; at += 2) {
        const words = this.#pools.get(list[at]!);
        if (words === undefined) continue;
        const word = list[at + 1]! * STRIDE;
        Atomics.add(words, word, 1);
        Atomics.notify(words, word);
      }
    } while (this.#notes().knit_rung_clear() > 0);
  }
}

/** What keeps an event loop alive. */
interface Alive {
  set(alive: boolean): void;
  /** It is not needed any more. */
  close(): void;
}

/**
 * For hosts: one timer for the pool's life, which counts or does not. To make one takes Deno 40 us after some quiet, to have it count 7. It is made with the pool,
 * but after the workers were told to start: a call in a test of Deno's may leave none behind that was not there before.
 */
class AliveByTimer implements Alive {
  #timer: number | null = null;
  #alive = false;
  #closed = false;

  constructor() {
    queueMicrotask(() => {
      if (!this.#closed) this.#apply();
    });
  }

  set(alive: boolean): void {
    if (alive === this.#alive) return;
    this.#alive = alive;
    this.#apply();
  }

  #apply(): void {
    const { Deno } = globalThis as unknown as { readonly Deno: Record<"refTimer" | "unrefTimer", (timer: number) => void> };
    this.#timer ??= setInterval(() => {}, FOREVER) as unknown as number;
    if (this.#alive) Deno.refTimer(this.#timer);
    else Deno.unrefTimer(this.#timer);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}

/** For workers: Deno takes milliseconds for a thread's first timer, and a worker that listens for messages lives as well. */
class AliveByListener implements Alive {
  readonly #listener = (): void => {};

  set(alive: boolean): void {
    const { addEventListener, removeEventListener } = globalThis as unknown as Record<string, (type: string, listener: () => void) => void>;
    if (alive) addEventListener!("message", this.#listener);
    else removeEventListener!("message", this.#listener);
  }

  close(): void {
    this.set(false);
  }
}

/** The bell of a participant: 0 is the host, `w + 1` worker `w`. */
export class NoteBell implements LoopBell {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #word: number;
  readonly #callback: () => void;
  /** Rings heard so far, as the word counts them. */
  #heard: number;
  #listens = false;
  #closed = false;
  readonly #alive: Alive;

  constructor({ words }: Notes, participant: number, callback: () => void) {
    this.#words = words;
    this.#word = participant * STRIDE;
    this.#callback = callback;
    this.#heard = Atomics.load(words, this.#word);
    this.#alive = participant === 0 ? new AliveByTimer() : new AliveByListener();
  }

  armed(): void {
    if (this.#listens || this.#closed) return;
    this.#listens = true;
    const wait = Atomics.waitAsync(this.#words, this.#word, this.#heard);
    if (wait.async) void wait.value.then(this.#ring);
    else queueMicrotask(this.#ring);
  }

  readonly #ring = (): void => {
    this.#listens = false;
    this.#heard = Atomics.load(this.#words, this.#word);
    if (!this.#closed) this.#callback();
  };

  keepAlive(alive: boolean): void {
    this.#alive.set(alive);
  }

  close(): void {
    this.#closed = true;
    this.#alive.close();
    // Who still listens is let go: its promise would keep this bell.
    Atomics.add(this.#words, this.#word, 1);
    Atomics.notify(this.#words, this.#word);
  }
}
