/**
 * Shared memory in messages that stay in this thread: the objects themselves, in a list beside the message.
 */
import type { SharedMemory, SharedMemoryReader, SharedMemoryWriter } from "../codec/hooks.ts";
import { canTravel, describe, describeBuffer, gone, memoryOf, show } from "./link.ts";
import { ProcessSharedBuffer } from "./process-shared-buffer.ts";

/** What a message may name. */
export type Local = SharedArrayBuffer | ProcessSharedBuffer;

export class LocalMemories implements SharedMemoryWriter, SharedMemoryReader {
  #list: Local[] = [];

  takes(value: object): boolean {
    return canTravel(value);
  }

  describe(value: object, kind: number): SharedMemory | null {
    if (value instanceof ProcessSharedBuffer) return value.closed ? null : describeBuffer(value, this.#list.push(value) - 1);
    const memory = memoryOf(value);
    return memory === null ? null : describe(value, kind, memory, this.#list.push(memory) - 1);
  }

  discard(): void {
    this.#list = [];
  }

  /** The list of the message that was just written. */
  take(): readonly Local[] {
    const list = this.#list;
    this.#list = [];
    return list;
  }

  /** Says which list the message that is read next has. */
  show(list: readonly Local[]): void {
    this.#list = [...list];
  }

  open(memory: SharedMemory): object {
    const found = this.#list[memory.lo];
    if (found === undefined) throw gone(memory.lo);
    // One of its own, over the same memory, as a worker would have.
    return found instanceof ProcessSharedBuffer ? found.subbuffer(0, found.byteLength) : show(found, memory);
  }
}
