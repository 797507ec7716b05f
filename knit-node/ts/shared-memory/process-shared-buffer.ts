/**
 * `ProcessSharedBuffer`: memory that threads and processes share, on any runtime.
 *
 * # Guarantees
 *
 * - It arrives in tasks as the same memory. So it does by name, in unrelated processes, and by metadata, in any thread of this process.
 * - Views are views of a plain `ArrayBuffer` over that memory: fast, and `Atomics` work on them, but for `Atomics.wait` and
 *   `Atomics.notify`, which want a `SharedArrayBuffer`. `wait` and `notify` here reach across processes and runtimes instead.
 * - `close()` detaches the views of this object, and of no other. No memory is unmapped while any view shows it.
 * - The size never changes: anonymous memory is sealed, named memory has its pages from the start.
 *
 * # What it does not do
 *
 * It orders nothing: that is for `Atomics` on shared words. Named memory can be shrunk by the user's own programs, against which nothing
 * protects; a page that is gone ends the process that touches it.
 *
 * @module
 */
import { KnitError, OptionError } from "../api/errors.ts";
import { checkOptions, show } from "../api/check.ts";
import { MAX_SHARED_BYTES } from "../codec/format.ts";
import { isWellFormed } from "../codec/text.ts";
import { engine, isMain } from "../runtime/current.ts";
import type { SharedNative } from "../runtime/native.ts";
import { checkMetadata, parseMetadata } from "./metadata.ts";
import type { ProcessSharedBufferMetadata } from "./metadata.ts";

export type { ProcessSharedBufferMetadata } from "./metadata.ts";

/** Memory with a name. */
export interface NamedBufferOptions {
  /** 1 to 30 bytes of UTF-8, no slash, no NUL. */
  readonly name: string;
  /** Bytes. With `mode: "open"` it may be left out, and may be less than there is. */
  readonly size?: number;
  /** `"create"` takes a name that nobody has, `"open"` one that somebody has made. */
  readonly mode: "create" | "open";
}

/** A class of views: a typed array, `DataView`, Node's `Buffer`. */
export interface ViewConstructor<T> {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT?: number;
}

/** The longest sleep in native code of a thread that may have to end meanwhile, in milliseconds. */
const SLICE = 100;
const OUTCOMES = ["ok", "not-equal", "timed-out"] as const;
/** Only this module makes instances. */
const KEY: unique symbol = Symbol("ProcessSharedBuffer");

const collected = new FinalizationRegistry<number>((handle) => engine().sharedClose(handle));

/** Typed arrays have their size of element; so have Node's `Buffer` and classes of one's own above them. */
function isViewClass(given: unknown): boolean {
  return typeof given === "function" && (given === DataView || given.prototype instanceof DataView || typeof (given as { BYTES_PER_ELEMENT?: unknown }).BYTES_PER_ELEMENT === "number");
}

export class ProcessSharedBuffer {
  /** Bytes of the whole memory. */
  readonly size: number;
  /** Where this buffer begins in it, and in `getBuffer()`. */
  readonly byteOffset: number;
  /** Bytes of this buffer. */
  readonly byteLength: number;
  /** The memory's name, if it has one. */
  readonly name: string | undefined;
  #handle: number;
  #buffer: ArrayBuffer | null = null;

  private constructor(key: typeof KEY, handle: number, size: number, byteOffset: number, byteLength: number, name: string | undefined) {
    if (key !== KEY) throw new OptionError("Make one with ProcessSharedBuffer.create(bytes)");
    this.#handle = handle;
    this.size = size;
    this.byteOffset = byteOffset;
    this.byteLength = byteLength;
    this.name = name;
    collected.register(this, handle, this);
  }

  /**
   * New memory, all zeros: of so many bytes, without a name, for whoever is given it; or under a name that nobody has.
   * `{ mode: "open" }` opens what another made.
   */
  static create(what: number | NamedBufferOptions): ProcessSharedBuffer {
    if (typeof what === "number") {
      const size = checkSize(what);
      return ProcessSharedBuffer.#make(call((native) => native.sharedCreate(size)), size);
    }
    if (typeof what !== "object" || what === null) throw new OptionError("ProcessSharedBuffer.create() takes a number of bytes, or { name, size, mode }");
    checkOptions("ProcessSharedBuffer.create()", what, ["name", "size", "mode"]);
    const { name, size, mode } = what;
    if (mode === "open") return ProcessSharedBuffer.open(name, size);
    if (mode !== "create") throw new OptionError(`mode: ${String(mode)} is neither "create" nor "open"`);
    const [checkedName, bytes] = [checkName(name), checkSize(size)];
    return ProcessSharedBuffer.#make(call((native) => native.sharedCreateNamed(checkedName, bytes)), bytes, checkedName);
  }

  /** The memory of that name; its first `size` bytes, or all of it. */
  static open(name: string, size?: number): ProcessSharedBuffer {
    const bytes = size === undefined ? undefined : checkSize(size);
    const checkedName = checkName(name);
    const handle = call((native) => native.sharedOpenNamed(checkedName));
    const there = call((native) => native.sharedBytes(handle));
    if (bytes !== undefined && bytes > there) {
      call((native) => native.sharedClose(handle));
      throw bounds(`shared memory named ${JSON.stringify(checkedName)} has ${there} bytes, not ${bytes}`);
    }
    return ProcessSharedBuffer.#make(handle, bytes ?? there, checkedName);
  }

  /** The memory that `toMetadata()` told of. */
  static fromMetadata(metadata: ProcessSharedBufferMetadata): ProcessSharedBuffer {
    const { name, process, memory, size, byteOffset, byteLength } = checkMetadata(metadata);
    if (name !== undefined) {
      const whole = ProcessSharedBuffer.open(name, size);
      try {
        return whole.subbuffer(byteOffset, byteLength);
      } finally {
        whole.close();
      }
    }
    if (process !== call((native) => native.sharedOrigin())) {
      throw gone("It was made in another process. Pass the buffer itself to a task, or give it a name");
    }
    const handle = call((native) => native.sharedFind(memory!));
    if (handle === 0) throw gone("Everybody who had it has closed it");
    return ProcessSharedBuffer.#part(handle, byteOffset, byteLength);
  }

  /** The memory that `stringify()` told of. */
  static parse(text: string): ProcessSharedBuffer {
    return ProcessSharedBuffer.fromMetadata(parseMetadata(text));
  }

  /** Frees a name. The memory stays for those who have it open. */
  static unlink(name: string): void {
    const checkedName = checkName(name);
    call((native) => native.sharedUnlink(checkedName));
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#handle === 0;
  }

  /** The whole memory as an `ArrayBuffer`; this buffer begins at `byteOffset` of it. */
  getBuffer(): ArrayBuffer {
    const handle = this.#open();
    return (this.#buffer ??= call((native) => native.sharedBuffer(handle, this.size)));
  }

  /** A typed array (or another view) over this buffer: as many elements as fit. */
  view<T>(constructor: ViewConstructor<T>): T {
    if (!isViewClass(constructor)) throw new OptionError(`view() takes a class of views, as Int32Array or DataView, not ${typeof constructor === "function" ? (constructor as { name: string }).name : show(constructor)}`);
    const bytes = constructor.BYTES_PER_ELEMENT ?? 1;
    const buffer = this.getBuffer();
    const { name } = constructor as unknown as { name: string };
    if (this.byteOffset % bytes !== 0) throw alignment(`a ${name} begins at a multiple of ${bytes} bytes, this buffer at ${this.byteOffset}`);
    if (this.byteLength % bytes !== 0) throw alignment(`${this.byteLength} bytes are no whole number of ${name} elements of ${bytes}`);
    const { Buffer } = globalThis as unknown as { Buffer?: { from(buffer: ArrayBuffer, byteOffset: number, length: number): T } };
    if ((constructor as unknown) === Buffer) return Buffer!.from(buffer, this.byteOffset, this.byteLength);
    return new constructor(buffer, this.byteOffset, this.byteLength / bytes);
  }

  /** Its bytes. */
  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.getBuffer(), this.byteOffset, this.byteLength);
  }

  dataView(): DataView<ArrayBuffer> {
    return new DataView(this.getBuffer(), this.byteOffset, this.byteLength);
  }

  /** A part of this buffer, as a buffer of its own: it has its own views, and is closed by itself. */
  subbuffer(byteOffset: number, byteLength: number = this.byteLength - byteOffset): ProcessSharedBuffer {
    const handle = this.#open();
    checkWindow(byteOffset, byteLength, this.byteLength);
    const clone = call((native) => native.sharedClone(handle));
    return new ProcessSharedBuffer(KEY, clone, this.size, this.byteOffset + byteOffset, byteLength, this.name);
  }

  /** Where the memory is, as plain data: to open it by name anywhere, or without a name in this process, while somebody keeps it. */
  toMetadata(): ProcessSharedBufferMetadata {
    const handle = this.#open();
    const { size, byteOffset, byteLength, name } = this;
    const place = name === undefined ? call((native) => ({ process: native.sharedOrigin(), memory: native.sharedPublish(handle) })) : { name };
    return { type: "ProcessSharedBuffer", version: 1, size, byteOffset, byteLength, ...place };
  }

  /** The metadata as text. */
  stringify(): string {
    return JSON.stringify(this.toMetadata());
  }

  /**
   * Sleeps while the 32-bit word `index` is `value`, until `notify` wakes it, at most `timeoutMs`. The thread is blocked meanwhile.
   *
   * As with every futex: change the word first, then notify. (A thread that is not the main one gets up every 100 ms, so that it can be ended. A
   * notification that changed nothing and comes in that instant finds nobody.)
   */
  wait(index: number, value: number, timeoutMs: number = Infinity): "ok" | "not-equal" | "timed-out" {
    const at = this.#word(index);
    const handle = this.#handle;
    const native = engine();
    // As Atomics.wait takes it: text is a number, and what is none is for ever.
    const time = Number(timeoutMs);
    const end = performance.now() + (time === time ? time : Infinity);
    for (let again = false; ; again = true) {
      const left = end - performance.now();
      const slice = isMain ? left : Math.min(left, SLICE);
      const outcome = OUTCOMES[call(() => native.sharedWait(handle, at, value | 0, slice))];
      // It was equal, so the change is what was waited for.
      if (outcome === "not-equal" && again) return "ok";
      if (outcome !== "timed-out" || left <= slice) return outcome;
    }
  }

  /** Wakes up to `count` of those who sleep in `wait` on word `index`, anywhere; returns how many. */
  notify(index: number, count: number = Infinity): number {
    const at = this.#word(index);
    const handle = this.#handle;
    return call((native) => native.sharedNotify(handle, at, Math.max(0, Math.min(Math.trunc(count) || 0, 0x7fff_ffff))));
  }

  /** Detaches the views of this object, and lets go of the memory; further calls do nothing. */
  close(): void {
    const handle = this.#handle;
    if (handle === 0) return;
    this.#handle = 0;
    collected.unregister(this);
    // A buffer that somebody has transferred is somebody else's.
    if (this.#buffer?.detached === false) this.#buffer.transfer(0);
    this.#buffer = null;
    engine().sharedClose(handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get [Symbol.toStringTag](): string {
    return "ProcessSharedBuffer";
  }

  #open(): number {
    if (this.#handle === 0) throw new KnitError("KNT_SHARED_CLOSED", "This ProcessSharedBuffer was closed: open the memory again by its name, or keep a subbuffer() of it");
    return this.#handle;
  }

  /** Byte offset in the memory of a word of this buffer. */
  #word(index: number): number {
    this.#open();
    if (this.byteOffset % 4 !== 0) throw alignment(`words begin at a multiple of 4 bytes, this buffer at ${this.byteOffset}`);
    if (!Number.isInteger(index) || index < 0 || index * 4 + 4 > this.byteLength) throw bounds(`there is no word ${index} in ${this.byteLength} bytes`);
    return this.byteOffset + index * 4;
  }

  static #make(handle: number, size: number, name?: string): ProcessSharedBuffer {
    return new ProcessSharedBuffer(KEY, handle, size, 0, size, name);
  }

  /** A part of a memory that nobody else has a handle of. */
  static #part(handle: number, byteOffset: number, byteLength: number): ProcessSharedBuffer {
    const size = call((native) => native.sharedBytes(handle));
    try {
      checkWindow(byteOffset, byteLength, size);
    } catch (error) {
      engine().sharedClose(handle);
      throw error;
    }
    return new ProcessSharedBuffer(KEY, handle, size, byteOffset, byteLength, undefined);
  }

  /** Puts it on its way: the number for the message. @internal */
  share(put: (handle: number) => number): number {
    const handle = this.#open();
    return call(() => put(handle));
  }

  /** The buffer that a message names; null if it is gone. @internal */
  static take(take: () => number, byteOffset: number, byteLength: number): ProcessSharedBuffer | null {
    const handle = call(take);
    if (handle === 0) return null;
    return ProcessSharedBuffer.#part(handle, byteOffset, byteLength);
  }
}

/** Calls the engine; its errors become this package's. */
function call<T>(use: (native: SharedNative) => T): T {
  try {
    return use(engine());
  } catch (error) {
    if (error instanceof KnitError || !(error instanceof Error)) throw error;
    const { code } = error as { code?: unknown };
    throw new KnitError(typeof code === "string" ? code : "KNT_NATIVE", error.message, { cause: error });
  }
}

function checkSize(size: unknown): number {
  if (!Number.isInteger(size) || (size as number) < 1 || (size as number) > MAX_SHARED_BYTES) {
    throw new OptionError(`size: ${String(size)} is no number of bytes from 1 to ${MAX_SHARED_BYTES}`);
  }
  return size as number;
}

function checkName(name: unknown): string {
  if (typeof name !== "string") throw new OptionError(`name: ${String(name)} is no string`);
  // UTF-8 has none: all of them would be the same name.
  if (!isWellFormed(name)) throw new KnitError("SHM_BAD_NAME", `${JSON.stringify(name)} is no name for shared memory: it holds half of a surrogate pair`);
  return name;
}

function checkWindow(byteOffset: number, byteLength: number, within: number): void {
  const whole = Number.isInteger(byteOffset) && Number.isInteger(byteLength);
  if (!whole || byteOffset < 0 || byteLength < 0 || byteOffset + byteLength > within) {
    throw bounds(`${byteLength} bytes at ${byteOffset} do not lie within ${within} bytes`);
  }
}

function bounds(what: string): KnitError {
  return new KnitError("KNT_SHARED_BOUNDS", what);
}

function alignment(what: string): KnitError {
  return new KnitError("KNT_SHARED_ALIGNMENT", what);
}

function gone(why: string): KnitError {
  return new KnitError("KNT_SHARED_MEMORY_GONE", `This shared memory cannot be reached: ${why}`);
}

// A bundler calls a class that names itself otherwise.
Object.defineProperty(ProcessSharedBuffer, "name", { value: "ProcessSharedBuffer" });
