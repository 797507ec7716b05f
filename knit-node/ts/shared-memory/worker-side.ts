/**
 * The worker's end of the link: memory in arguments and results. `link.ts` describes the protocol.
 */
import type { SharedMemory, SharedMemoryReader, SharedMemoryWriter } from "../codec/hooks.ts";
import { SHARED_PROCESS_BUFFER } from "../codec/format.ts";
import { canTravel, describe, describeBuffer, gone, memoryOf, receive, show, takeBuffer } from "./link.ts";
import type { ToHost, ToWorker, WorkerEnd } from "./link.ts";
import { ProcessSharedBuffer } from "./process-shared-buffer.ts";
import type { SharedNative } from "../runtime/native.ts";

export class WorkerMemories implements SharedMemoryReader, SharedMemoryWriter {
  readonly #port: MessagePort;
  readonly #posted: Int32Array<SharedArrayBuffer>;
  readonly #sender: number;
  readonly #native: SharedNative;
  /** How much was posted when the port was last read for it. */
  #read = 0;
  /** What the host gave, by its numbers. */
  readonly #given = new Map<number, SharedArrayBuffer>();
  readonly #numbers = new WeakMap<SharedArrayBuffer, number>();
  /** What the host was given, by this worker's numbers. */
  readonly #own = new Map<number, WeakRef<SharedArrayBuffer>>();
  readonly #ownNumbers = new WeakMap<SharedArrayBuffer, number>();
  readonly #collected = new FinalizationRegistry<number>((own) => this.#own.delete(own));
  #lastOwn = 0;
  #lastTransit = 0;
  /** What the message that is being written names. */
  #described: ToHost[] = [];
  /** The numbers of its `ProcessSharedBuffer`s. */
  #put: number[] = [];

  constructor({ port, posted, sender }: WorkerEnd, native: SharedNative) {
    this.#port = port;
    this.#posted = posted;
    this.#sender = sender;
    this.#native = native;
  }

  /** Takes in what the host has posted; costs little if that is nothing. Called before a sleep, so that nothing is kept for long. */
  drain(): void {
    const posted = Atomics.load(this.#posted, 0);
    if (posted === this.#read) return;
    this.#read = posted;
    this.#take();
  }

  #take(): void {
    for (;;) {
      const message = receive<ToWorker>(this.#port);
      if (message === undefined) return;
      if (message.forget !== undefined) this.#forget(message.forget);
      else this.#keep(message as Required<ToWorker>);
    }
  }

  #keep({ number, memory, own }: Required<ToWorker>): void {
    const known = this.#own.get(own)?.deref() ?? memory;
    this.#given.set(number, known);
    this.#numbers.set(known, number);
  }

  #forget(numbers: readonly number[]): void {
    for (const number of numbers) {
      const memory = this.#given.get(number);
      if (memory === undefined) continue;
      this.#given.delete(number);
      // It may live on here, and go to the host again.
      this.#numbers.delete(memory);
    }
  }

  open(memory: SharedMemory): object {
    if (memory.kind === SHARED_PROCESS_BUFFER) return takeBuffer(this.#native, memory);
    const number = memory.lo;
    if (!this.#given.has(number)) this.#take();
    const given = this.#given.get(number);
    if (given === undefined) throw gone(number);
    return show(given, memory);
  }

  takes(value: object): boolean {
    return canTravel(value);
  }

  describe(value: object, kind: number): SharedMemory | null {
    if (value instanceof ProcessSharedBuffer) return value.closed ? null : describeBuffer(value, this.#putOnItsWay(value));
    const memory = memoryOf(value);
    if (memory === null) return null;
    const number = this.#numbers.get(memory) ?? 0;
    const transit = (this.#lastTransit = (this.#lastTransit + 1) | 0);
    this.#described.push({ transit, memory, number, own: this.#ownNumber(memory) });
    return describe(value, kind, memory, transit);
  }

  #putOnItsWay(buffer: ProcessSharedBuffer): number {
    const number = buffer.share((handle) => this.#native.sharedPut(handle, this.#sender));
    this.#put.push(number);
    return number;
  }

  #ownNumber(memory: SharedArrayBuffer): number {
    let own = this.#ownNumbers.get(memory);
    if (own === undefined) {
      own = ++this.#lastOwn;
      this.#ownNumbers.set(memory, own);
      this.#own.set(own, new WeakRef(memory));
      this.#collected.register(memory, own);
    }
    return own;
  }

  discard(): void {
    for (const number of this.#put) this.#native.sharedForget(number);
    this.#put = [];
    this.#described = [];
  }

  /** Whether the message that was just written names any. */
  get used(): boolean {
    return this.#described.length + this.#put.length > 0;
  }

  /** The message goes out: what it names must be there before it. */
  sent(): void {
    const described = this.#described;
    this.#described = [];
    // These are the host's now.
    this.#put = [];
    for (const message of described) this.#port.postMessage(message);
  }
}
