/**
 * How shared memory crosses between the host and its worker processes: `ProcessSharedBuffer`s, whose descriptors the engine passes through a socket to each process
 * (`knit-sched/src/process/link.rs`), beside the message that names their numbers.
 *
 * A `SharedArrayBuffer` is memory of threads and does not cross.
 *
 * # Guarantees
 *
 * What a call carries reaches whichever worker runs it, also one that starts meanwhile, and also when it is closed right after the call. It is held until the call is
 * settled. What a result carries is held by its worker's process or on its way until the host has read it. What is refused, given up, or was under way to or from
 * a worker that died, is let go of.
 */
import type { SharedMemory, SharedMemoryReader, SharedMemoryWriter } from "../codec/hooks.ts";
import { SHARED_PROCESS_BUFFER } from "../codec/format.ts";
import type { Native } from "../runtime/native.ts";
import type { CallMemories, Memories } from "./host-side.ts";
import { describeBuffer, gone } from "./link.ts";
import { ProcessSharedBuffer } from "./process-shared-buffer.ts";

/** Numbers that the message being written names, and who takes them back. */
abstract class Numbers implements SharedMemoryWriter {
  #described: number[] = [];

  protected abstract share(handle: number): number;
  protected abstract unshare(number: number): void;

  takes(value: object): boolean {
    return value instanceof ProcessSharedBuffer && !value.closed;
  }

  describe(value: object): SharedMemory | null {
    if (!this.takes(value)) return null;
    const buffer = value as ProcessSharedBuffer;
    const number = buffer.share((handle) => this.share(handle));
    this.#described.push(number);
    return describeBuffer(buffer, number);
  }

  discard(): void {
    for (const number of this.taken()) this.unshare(number);
  }

  /** Whether the message that was just written names any. */
  get used(): boolean {
    return this.#described.length > 0;
  }

  /** They are somebody else's now. */
  protected taken(): readonly number[] {
    const described = this.#described;
    this.#described = [];
    return described;
  }
}

function open({ kind, lo, byteLength, byteOffset }: SharedMemory, take: (number: number) => number): object {
  const buffer = kind === SHARED_PROCESS_BUFFER ? ProcessSharedBuffer.take(() => take(lo >>> 0), byteOffset, byteLength) : null;
  if (buffer === null) throw gone(lo);
  return buffer;
}

/** The host's side. */
export class ProcessMemories implements Memories {
  readonly #native: Native;
  readonly #handle: number;
  #closed = false;

  constructor(native: Native, handle: number) {
    this.#native = native;
    this.#handle = handle;
  }

  attach(): null {
    return null;
  }

  /** The engine lets go of what a dead worker has passed. */
  detach(): void {}

  close(): void {
    this.#closed = true;
  }

  writer(): CallMemories {
    return new HostNumbers(
      (shared) => this.#native.hostShare(this.#handle, shared),
      (number) => {
        // With the pool everything goes.
        if (!this.#closed) this.#native.hostUnshare(this.#handle, number);
      },
    );
  }

  reader(worker: number): SharedMemoryReader {
    return { open: (memory) => open(memory, (number) => this.#native.hostTakeShared(this.#handle, worker, number)) };
  }
}

class HostNumbers extends Numbers implements CallMemories {
  readonly #share: (handle: number) => number;
  readonly #unshare: (number: number) => void;

  constructor(share: (handle: number) => number, unshare: (number: number) => void) {
    super();
    this.#share = share;
    this.#unshare = unshare;
  }

  protected share(handle: number): number {
    return this.#share(handle);
  }

  protected unshare(number: number): void {
    this.#unshare(number);
  }

  hold<T>(call: Promise<T>): Promise<T> {
    return call.finally(this.keep());
  }

  keep(): () => void {
    const numbers = this.taken();
    return () => numbers.forEach(this.#unshare);
  }
}

/** A worker process's side. */
export class WorkerProcessMemories extends Numbers implements SharedMemoryReader {
  readonly #native: Native;

  constructor(native: Native) {
    super();
    this.#native = native;
  }

  protected share(handle: number): number {
    return this.#native.processShare(handle);
  }

  protected unshare(number: number): void {
    this.#native.processUnshare(number);
  }

  open(memory: SharedMemory): object {
    return open(memory, (number) => this.#native.processTakeShared(number));
  }

  /** A thread of the engine's takes in what the host passes. */
  drain(): void {}

  /** The message goes out. */
  sent(): void {
    this.taken();
  }
}
