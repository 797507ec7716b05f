/**
 * What the system has refused a pool, with what to do about it.
 */
import { KnitError } from "../api/errors.ts";

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/Too many open files/, "this process may have no more of them: raise its limit (ulimit -n), or keep fewer pools and workers"],
  [/Cannot allocate memory/, "the pool's address space does not fit: raise the limit (ulimit -v), lower payload.payloadMaxByteLength, or take fewer threads"],
  [/No space left on device/, "/dev/shm is full: remove what is left there, or make it larger"],
];

/** What to do about it, to be put behind the message; empty if that is not known. */
export function advice(message: string): string {
  const found = ADVICE.find(([refused]) => refused.test(message));
  return found === undefined ? "" : `: ${found[1]}`;
}

/** An error of the engine with what to do about it; any other as it is. */
export function withAdvice(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof KnitError) return error;
  const { code } = error as { code?: unknown };
  const added = advice(error.message);
  return typeof code !== "string" || added === "" ? error : new KnitError(code, `A pool could not be made: ${error.message}${added}`, { cause: error });
}
