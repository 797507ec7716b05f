/**
 * What all groups of functions share on one thread: the library, its errors, its memory, and who is to be woken after a call.
 */
import { COMMON, MEMORY_WORDS } from "./abi.ts";
import { Failures } from "./library.ts";
import type { Library } from "./library.ts";
import { NoteBook } from "./notes.ts";

/** 2 to the 32nd. */
const HIGH = 0x1_0000_0000;

export class Session {
  readonly library: Library;
  readonly failures: Failures;
  /** Who is to be woken by notes; null if this thread's bells are of the other kind. */
  notes: NoteBook | null = null;
  /** Word 0: how many are to be woken. Not a property of `notes`, for it is read after every call. */
  #rung: Int32Array = new Int32Array(1);
  readonly #memory = new Uint32Array(MEMORY_WORDS);
  readonly #number = new Uint32Array(1);

  constructor(library: Library) {
    this.library = library;
    this.failures = new Failures(library);
    this.failures.check(library.open(COMMON).knit_thread_owns());
  }

  /** This thread's bells are notes from now on. */
  takeNotes(): NoteBook {
    if (this.notes === null) {
      this.notes = new NoteBook(this.library, (take) => this.memory(take));
      this.#rung = this.notes.list;
    }
    return this.notes;
  }

  /** The result of a function that is about a host or worker: wakes whom it has rung. */
  done(result: number): number {
    if (this.#rung[0] !== 0) this.notes!.deliver();
    return result < 0 ? this.failures.throw() : result;
  }

  /** The result of any other function. */
  check(result: number): number {
    return result < 0 ? this.failures.throw() : result;
  }

  /** A number that a function writes. */
  number(tell: (out: Uint32Array) => number): number {
    this.done(tell(this.#number));
    return this.#number[0]!;
  }

  /** Memory that a function hands out, its first `most` bytes. */
  memory(take: (out: Uint32Array) => number, most = Infinity): ArrayBuffer {
    this.done(take(this.#memory));
    return this.#show(most);
  }

  /** A block that a function hands out, if it returns 1. */
  block(take: (out: Uint32Array) => number, most: number): ArrayBuffer | null {
    return this.done(take(this.#memory)) === 0 ? null : this.#show(most);
  }

  #show(most: number): ArrayBuffer {
    const [low, high, bytesLow, bytesHigh, token] = this.#memory as unknown as [number, number, number, number, number];
    return this.library.show(high * HIGH + low, Math.min(bytesHigh * HIGH + bytesLow, most), token);
  }
}
