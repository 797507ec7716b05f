// What a user's compiler must say of the packed declarations. Each `@ts-expect-error` is an error
// of its own if the line below it compiles, so types that decayed to `any` are found.
import { createPool, task } from "@vixeny/knitting";
import { ProcessSharedBuffer } from "@vixeny/knitting/process-shared-buffer";
import { ProcessSharedBuffer as OtherName } from "@vixeny/knitting/shared-memory";

export const length = task({ f: (text: string) => text.length });
export const shout = task({ f: async (text: string) => text.toUpperCase() });

export async function typed(): Promise<number> {
  await using pool = createPool({ threads: 1 })({ length, shout });
  const count: number = await pool.call.length("four");
  const loud: string = await pool.call.shout("four");
  // @ts-expect-error The argument is a string.
  void pool.call.length(4);
  // @ts-expect-error The result is a number.
  const wrong: string = await pool.call.length("four");
  // @ts-expect-error There is no such task.
  void pool.call.missing;
  // @ts-expect-error There is no such option.
  createPool({ thread: 1 });
  return count + loud.length + String(wrong).length;
}

export function shared(): Int32Array {
  const buffer: OtherName = ProcessSharedBuffer.create({ name: "counters", size: 64, mode: "create" });
  const words: Int32Array<ArrayBuffer> = buffer.view(Int32Array);
  const outcome: "ok" | "not-equal" | "timed-out" = buffer.wait(0, 0, 10);
  // @ts-expect-error There is no such mode.
  ProcessSharedBuffer.create({ name: "counters", size: 64, mode: "append" });
  // @ts-expect-error Instances come from create() and open().
  new ProcessSharedBuffer();
  // @ts-expect-error A view of words is no view of bytes.
  const bytes: Uint8Array = buffer.view(Int32Array);
  return outcome === "ok" ? words : new Int32Array(bytes.buffer);
}
