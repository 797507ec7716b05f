/**
 * How shared memory crosses between the host and its worker threads.
 *
 * A `ProcessSharedBuffer` is easy: the sender puts its memory on its way in native code, and the message names the number (`shared.rs`). What
 * was never read is given up with its call, or with the worker that sent it.
 *
 * Bytes cannot carry a `SharedArrayBuffer`, so it crosses beside the message: through a `MessagePort` to each worker, with a number. The message names the number.
 * The sender posts before its message can be read, and ports can be read without waiting, so the reader of a message has the object at once.
 *
 * # To the workers
 *
 * Any worker may run a call. So the host gives each object one number, posts it to every worker once (to later ones when they start), and
 * names that number in every call. A worker keeps what it was given, so that one object stays one object there, until the host tells that
 * its own was collected (`forget`). Calls hold on to what they carry until they are settled.
 *
 * # To the host
 *
 * A result posts its object anew each time, under a number of its own (`transit`), so it cannot be gone when the message is read. With it go
 * the host's number, if the object came from there, and the worker's own: by these the host finds the object that it has already.
 *
 * # Guarantees
 *
 * One object is one object (`===`) on each side, for as long as that side knows it. Its memory lives as long as any side does. A dead worker
 * takes nothing along but what only it knew.
 *
 * A call that was given up (timed out, aborted) holds nothing any more: if its object is collected before a worker reads it, it fails there,
 * and nobody waits for it.
 */
import type * as WorkerThreads from "node:worker_threads";

import { KnitError } from "../api/errors.ts";
import { SHARED_ARRAY_BUFFER, SHARED_VIEW, MAX_SHARED_BYTES } from "../codec/format.ts";
import { CodecError } from "../codec/errors.ts";
import { isSharedBuffer, isSharedView } from "../codec/classify.ts";
import { viewOf } from "../codec/decode-rare.ts";
import { SHARED_PROCESS_BUFFER } from "../codec/format.ts";
import type { SharedMemory } from "../codec/hooks.ts";
import type { SharedNative } from "../runtime/native.ts";
import { builtin } from "../runtime/system.ts";
import { ProcessSharedBuffer } from "./process-shared-buffer.ts";

/** A worker's end, as it is given to it. */
export interface WorkerEnd {
  readonly port: MessagePort;
  /** How much was posted to it. Reading a port costs, on Deno first of all milliseconds, so nobody reads one to which nothing was posted. */
  readonly posted: Int32Array<SharedArrayBuffer>;
  /** The worker's number as a sender of `ProcessSharedBuffer`s. */
  readonly sender: number;
}

/** What the host posts to a worker. */
export interface ToWorker {
  /** An object, and the host's number for it. */
  readonly number?: number;
  readonly memory?: SharedArrayBuffer;
  /** The worker's own number for it, if it came from there; else 0. */
  readonly own?: number;
  /** The host's numbers that no call will name any more. */
  readonly forget?: readonly number[];
}

/** What a worker posts to the host. */
export interface ToHost {
  readonly transit: number;
  readonly memory: SharedArrayBuffer;
  /** The host's number for it, or 0. */
  readonly number: number;
  /** The worker's number for it. */
  readonly own: number;
}

let receiveMessageOnPort: typeof WorkerThreads.receiveMessageOnPort | null = null;

/** The next message on a port, without waiting; undefined if there is none. */
export function receive<T>(port: MessagePort): T | undefined {
  receiveMessageOnPort ??= builtin<typeof WorkerThreads>("node:worker_threads").receiveMessageOnPort;
  return (receiveMessageOnPort(port as unknown as WorkerThreads.MessagePort) as { message: T } | undefined)?.message;
}

/** The `SharedArrayBuffer` that a value is, or is a view of; null if it is none that can be sent. */
export function memoryOf(value: object): SharedArrayBuffer | null {
  const memory = isSharedView(value) ? value.buffer : isSharedBuffer(value) ? value : null;
  return memory !== null && memory.byteLength <= MAX_SHARED_BYTES ? memory : null;
}

/** How such a value travels, its memory under that number. */
export function describe(value: object, kind: number, memory: SharedArrayBuffer, number: number): SharedMemory {
  if (kind < 0) return { kind: SHARED_ARRAY_BUFFER, byteLength: memory.byteLength, byteOffset: 0, lo: number, hi: 0 };
  const { byteLength, byteOffset } = value as ArrayBufferView;
  return { kind: SHARED_VIEW + kind, byteLength, byteOffset, lo: number, hi: 0 };
}

/** The value that a message names, over its memory. */
export function show(memory: SharedArrayBuffer, { kind, byteLength, byteOffset }: SharedMemory): object {
  if (kind < SHARED_VIEW) return memory;
  if (byteOffset + byteLength > memory.byteLength) throw new CodecError("Truncated", "a view reaches beyond its memory");
  return viewOf(kind - SHARED_VIEW, memory, byteOffset, byteLength);
}

/** How a `ProcessSharedBuffer` travels that was put on its way under that number. */
export function describeBuffer({ byteLength, byteOffset }: ProcessSharedBuffer, number: number): SharedMemory {
  return { kind: SHARED_PROCESS_BUFFER, byteLength, byteOffset, lo: number | 0, hi: 0 };
}

/** The one that a message names. */
export function takeBuffer(native: SharedNative, { lo, byteLength, byteOffset }: SharedMemory): ProcessSharedBuffer {
  const buffer = ProcessSharedBuffer.take(() => native.sharedTake(lo >>> 0), byteOffset, byteLength);
  if (buffer === null) throw gone(lo);
  return buffer;
}

/** Whether a value is shared memory that can be sent. */
export function canTravel(value: object): boolean {
  return value instanceof ProcessSharedBuffer ? !value.closed : memoryOf(value) !== null;
}

/** A number that stands for nothing here. */
export function gone(number: number): KnitError {
  return new KnitError("KNT_SHARED_MEMORY_GONE", `Shared memory ${number} of this message is gone: its call was given up, or its worker has ended`);
}
