/**
 * Shared memory in messages that stay in this thread: the objects themselves, in a list beside the message.
 *
 * A `ProcessSharedBuffer` arrives as an object of its own, as in a worker: either side may close its.
 */
import type { SharedMemory, SharedMemoryReader, SharedMemoryWriter } from "../codec/hooks.ts";
import { canTravel, describe, describeBuffer, gone, memoryOf, show } from "./link.ts";
import { ProcessSharedBuffer } from "./process-shared-buffer.ts";

/** What a message names, in order; what was read of it is taken out. */
export type LocalList = readonly (SharedArrayBuffer | ProcessSharedBuffer | null)[];

export class LocalMemories implements SharedMemoryWriter, SharedMemoryReader {
  #list: (SharedArrayBuffer | ProcessSharedBuffer | null)[] = [];

  takes(value: object): boolean {
    return canTravel(value);
  }

  describe(value: object, kind: number): SharedMemory | null {
    if (value instanceof ProcessSharedBuffer) return value.closed ? null : describeBuffer(value, this.#list.push(value.subbuffer(0)) - 1);
    const memory = memoryOf(value);
    return memory === null ? null : describe(value, kind, memory, this.#list.push(memory) - 1);
  }

  /** Forgets the list; nobody has what is still in it. */
  discard(): void {
    for (const memory of this.#list) if (memory instanceof ProcessSharedBuffer) memory.close();
    this.#list = [];
  }

  /** The list of the message that was just written. */
  take(): LocalList {
    const list = this.#list;
    this.#list = [];
    return list;
  }

  /** Says which list the message that is read next has. */
  show(list: LocalList): void {
    this.#list = [...list];
  }

  open(memory: SharedMemory): object {
    const found = this.#list[memory.lo];
    if (found === undefined || found === null) throw gone(memory.lo);
    if (!(found instanceof ProcessSharedBuffer)) return show(found, memory);
    this.#list[memory.lo] = null;
    return found;
  }
}
