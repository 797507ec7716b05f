/**
 * The library as a runtime opens it: what differs between Deno and Bun.
 */
import { ERRORS } from "./abi.ts";
import type { Functions, Signatures } from "./abi.ts";

/** What a runtime's file makes. */
export interface Library {
  /** Opens some of its functions. */
  open<Group extends Signatures>(group: Group): Functions<Group>;
  /**
   * Shows memory that was handed out under a token, and gives it back when the buffer is collected. The address is a whole number: programs have 47 bits
   * of them, or 56.
   */
  show(address: number, bytes: number, token: number): ArrayBuffer;
  /** Gives such memory back now, and empties the buffer. Absent where emptying it does that. */
  hide?(buffer: ArrayBuffer): void;
}

/** What N-API does for the C interface: `knit-node/src/foreign_bell.rs` and `foreign_memory.rs`. */
export interface ForeignNative {
  /** A bell on this thread; it keeps no event loop alive unless asked to. Returns its number. */
  bellCreate(callback: () => void): number;
  /** The address of the function that rings; its context is the bell's number. */
  bellRing(): number;
  bellKeepAlive(bell: number, alive: boolean): void;
  bellClose(bell: number): void;
  /** As `Library.show`. */
  memoryShow(address: number, bytes: number, token: number): ArrayBuffer;
}

/** A group of functions, opened at its first use. */
export function lazily<Group extends Signatures>(library: Library, group: Group): () => Functions<Group> {
  let opened: Functions<Group> | null = null;
  return () => (opened ??= library.open(group));
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Bytes of a text for the library. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** What a function writes that takes a buffer and its size, and returns how many bytes there are. Those that return less than they need to write are asked again. */
export function written(write: (buffer: Uint8Array, size: number) => number, size = 256): Uint8Array {
  for (;;) {
    const buffer = new Uint8Array(size);
    const bytes = write(buffer, size);
    // Texts need one byte more, for the NUL behind.
    if (bytes < size) return buffer.subarray(0, bytes);
    size = bytes + 1;
  }
}

/** The same as a text. */
export function writtenText(write: (buffer: Uint8Array, size: number) => number, size?: number): string {
  return decoder.decode(written(write, size));
}

/** Turns a negative result into an error, with the engine's text and code. */
export class Failures {
  readonly #errors: () => Functions<typeof ERRORS>;

  constructor(library: Library) {
    this.#errors = lazily(library, ERRORS);
  }

  /** The last error of this thread, thrown. */
  throw(): never {
    const message = writtenText((buffer, size) => this.#errors().knit_last_error(buffer, size));
    const code = writtenText((buffer, size) => this.#errors().knit_last_error_code(buffer, size));
    throw Object.assign(new Error(message), { code });
  }

  /** A result that is no error. */
  check(result: number): number {
    return result < 0 ? this.throw() : result;
  }
}
