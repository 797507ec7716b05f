/**
 * `SharedArrayBuffer`s in messages that stay in this thread: the objects themselves, in a list beside the message.
 */
import type { SharedMemory, SharedMemoryReader, SharedMemoryWriter } from "../codec/hooks.ts";
import { describe, gone, memoryOf, show } from "./link.ts";

export class LocalMemories implements SharedMemoryWriter, SharedMemoryReader {
  #list: SharedArrayBuffer[] = [];

  takes(value: object): boolean {
    return memoryOf(value) !== null;
  }

  describe(value: object, kind: number): SharedMemory | null {
    const memory = memoryOf(value);
    return memory === null ? null : describe(value, kind, memory, this.#list.push(memory) - 1);
  }

  discard(): void {
    this.#list = [];
  }

  /** The list of the message that was just written. */
  take(): readonly SharedArrayBuffer[] {
    const list = this.#list;
    this.#list = [];
    return list;
  }

  /** Says which list the message that is read next has. */
  show(list: readonly SharedArrayBuffer[]): void {
    this.#list = [...list];
  }

  open(memory: SharedMemory): object {
    const found = this.#list[memory.lo];
    if (found === undefined) throw gone(memory.lo);
    return show(found, memory);
  }
}
