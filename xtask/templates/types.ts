// What a user's compiler must say of the packed declarations. Each `@ts-expect-error` is an error
// of its own if the line below it compiles, so types that decayed to `any` are found.
import { createPool, task } from "@vixeny/knitting";

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
