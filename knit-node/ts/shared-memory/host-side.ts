/**
 * The host's end of the links to its workers: memory in arguments and results. `link.ts` describes the protocol.
 */
import type { SharedMemory, SharedMemoryReader, SharedMemoryWriter } from "../codec/hooks.ts";
import { SHARED_PROCESS_BUFFER } from "../codec/format.ts";
import { canTravel, describe, describeBuffer, gone, memoryOf, receive, show, takeBuffer } from "./link.ts";
import type { ToHost, ToWorker, WorkerEnd } from "./link.ts";
import { ProcessSharedBuffer } from "./process-shared-buffer.ts";
import type { SharedNative } from "../runtime/native.ts";

/** A `SharedArrayBuffer` that this side knows. */
interface Entry {
  readonly memory: WeakRef<SharedArrayBuffer>;
  /** The worker that it came from, and that worker's number for it. */
  readonly from: Link | null;
  readonly own: number;
  /** Whether the workers were given it. */
  posted: boolean;
}

/** One worker's port, and what came through it. */
class Link {
  readonly port: MessagePort;
  /** What the worker is given. */
  readonly end: WorkerEnd;
  /** The worker's number as a sender of `ProcessSharedBuffer`s. */
  readonly sender: number;
  /** Posted by the worker, not yet named by a message that was read. */
  readonly arrived = new Map<number, ToHost>();
  /** The host's numbers for what came from there, by the worker's. */
  readonly numbers = new Map<number, number>();

  constructor(sender: number) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.sender = sender;
    this.end = { port: port2, posted: new Int32Array(new SharedArrayBuffer(4)), sender };
  }

  post(message: ToWorker): void {
    this.port.postMessage(message);
    Atomics.add(this.end.posted, 0, 1);
  }

  take(transit: number): ToHost {
    for (;;) {
      const found = this.arrived.get(transit);
      if (found !== undefined) {
        this.arrived.delete(transit);
        return found;
      }
      const message = receive<ToHost>(this.port);
      if (message === undefined) throw gone(transit);
      this.arrived.set(message.transit, message);
    }
  }
}

/** Memory in the arguments of calls: what a call carries stays until it is settled. */
export interface CallMemories extends SharedMemoryWriter {
  /** Whether the message that was just written names any. */
  readonly used: boolean;
  /** Holds what the message names until its call is settled. */
  hold<T>(call: Promise<T>): Promise<T>;
  /** Holds what the message names; returns what lets go of it. */
  keep(): () => void;
}

/** The host's end, whatever its workers are. */
export interface Memories {
  /** A new worker begins; returns the end that it must be given, if it must. */
  attach(worker: number): WorkerEnd | null;
  /** The worker has ended, and nothing of it is left to be read. */
  detach(worker: number): void;
  close(): void;
  /** For the encoder of calls. */
  writer(): CallMemories;
  /** For the decoder of a worker's replies. */
  reader(worker: number): SharedMemoryReader;
}

export class HostMemories implements Memories {
  readonly #links: (Link | undefined)[] = [];
  readonly #entries = new Map<number, Entry>();
  readonly #numbers = new WeakMap<SharedArrayBuffer, number>();
  readonly #collected = new FinalizationRegistry<number>((number) => this.#onCollected(number));
  readonly #native: SharedNative;
  readonly #rouse: () => void;
  #last = 0;
  #forgotten: number[] = [];

  /** `rouse` wakes the workers that sleep: they drain their ports. */
  constructor(native: SharedNative, rouse: () => void) {
    this.#native = native;
    this.#rouse = rouse;
  }

  /** Opens a link to a new worker; returns the end that it must be given. */
  attach(worker: number): WorkerEnd {
    this.detach(worker);
    const link = new Link(this.#native.sharedSender());
    this.#links[worker] = link;
    for (const [number, entry] of this.#entries) {
      const memory = entry.posted ? entry.memory.deref() : undefined;
      if (memory !== undefined) this.#post(link, number, entry, memory);
    }
    return link.end;
  }

  detach(worker: number): void {
    const link = this.#links[worker];
    if (link === undefined) return;
    this.#links[worker] = undefined;
    link.port.close();
    this.#native.sharedForgetAll(link.sender);
  }

  close(): void {
    for (let worker = 0; worker < this.#links.length; worker++) this.detach(worker);
    this.#entries.clear();
  }

  writer(): CallMemories {
    return new ThreadCallMemories(this.#native, (memory) => this.#give(memory));
  }

  reader(worker: number): SharedMemoryReader {
    return {
      open: (memory: SharedMemory): object => {
        if (memory.kind === SHARED_PROCESS_BUFFER) return takeBuffer(this.#native, memory);
        const link = this.#links[worker];
        if (link === undefined) throw gone(memory.lo);
        return show(this.#resolve(link, link.take(memory.lo)), memory);
      },
    };
  }

  /** The object that is known here already, or the one that arrived. */
  #resolve(link: Link, { memory, number, own }: ToHost): SharedArrayBuffer {
    const found = this.#find(number) ?? this.#find(link.numbers.get(own) ?? 0);
    if (found !== undefined) return found;
    link.numbers.set(own, this.#add(memory, link, own));
    return memory;
  }

  #find(number: number): SharedArrayBuffer | undefined {
    return this.#entries.get(number)?.memory.deref();
  }

  #add(memory: SharedArrayBuffer, from: Link | null, own: number): number {
    const number = ++this.#last;
    this.#entries.set(number, { memory: new WeakRef(memory), from, own, posted: false });
    this.#numbers.set(memory, number);
    this.#collected.register(memory, number);
    return number;
  }

  /** Sees that every worker has it; returns its number. */
  #give(memory: SharedArrayBuffer): number {
    const number = this.#numbers.get(memory) ?? this.#add(memory, null, 0);
    const entry = this.#entries.get(number);
    if (entry !== undefined && !entry.posted) {
      entry.posted = true;
      for (const link of this.#links) if (link !== undefined) this.#post(link, number, entry, memory);
    }
    return number;
  }

  #post(link: Link, number: number, entry: Entry, memory: SharedArrayBuffer): void {
    link.post({ number, memory, own: entry.from === link ? entry.own : 0 });
  }

  #onCollected(number: number): void {
    const entry = this.#entries.get(number);
    if (entry === undefined) return;
    this.#entries.delete(number);
    if (entry.from !== null && entry.from.numbers.get(entry.own) === number) entry.from.numbers.delete(entry.own);
    if (!entry.posted) return;
    if (this.#forgotten.push(number) === 1) queueMicrotask(this.#tell);
  }

  readonly #tell = (): void => {
    const forget = this.#forgotten;
    this.#forgotten = [];
    if (this.#entries.size === 0 && this.#links.every((link) => link === undefined)) return;
    for (const link of this.#links) link?.post({ forget });
    this.#rouse();
  };
}

class ThreadCallMemories implements CallMemories {
  readonly #native: SharedNative;
  readonly #sender: number;
  readonly #give: (memory: SharedArrayBuffer) => number;
  /** What the message that is being written names; of `ProcessSharedBuffer`s the numbers. */
  #described: (SharedArrayBuffer | number)[] = [];

  constructor(native: SharedNative, give: (memory: SharedArrayBuffer) => number) {
    this.#native = native;
    this.#sender = native.sharedSender();
    this.#give = give;
  }

  takes(value: object): boolean {
    return canTravel(value);
  }

  describe(value: object, kind: number): SharedMemory | null {
    if (value instanceof ProcessSharedBuffer) {
      if (value.closed) return null;
      const number = value.share((handle) => this.#native.sharedPut(handle, this.#sender));
      this.#described.push(number);
      return describeBuffer(value, number);
    }
    const memory = memoryOf(value);
    if (memory === null) return null;
    this.#described.push(memory);
    return describe(value, kind, memory, this.#give(memory));
  }

  discard(): void {
    this.#release(this.#described);
    this.#described = [];
  }

  /** Whether the message that was just written names any. */
  get used(): boolean {
    return this.#described.length > 0;
  }

  /** Holds what the message names until its call is settled. */
  hold<T>(call: Promise<T>): Promise<T> {
    return call.finally(this.keep());
  }

  /** Holds what the message names; returns what lets go of it. */
  keep(): () => void {
    const described = this.#described;
    this.#described = [];
    return () => this.#release(described);
  }

  #release(described: readonly (SharedArrayBuffer | number)[]): void {
    for (const memory of described) if (typeof memory === "number") this.#native.sharedForget(memory);
  }
}
