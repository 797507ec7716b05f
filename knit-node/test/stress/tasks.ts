/** What the stress run calls. */
import { task } from "../../ts/index.ts";
import type { AbortTools } from "../../ts/index.ts";

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

export const instant = task({ f: (value: unknown): unknown => value });
export const short = task({
  f: (n: number) => {
    spin(1);
    return n + 1;
  },
});
export const later = task({ f: ({ ms, n }: { ms: number; n: number }) => new Promise<number>((resolve) => setTimeout(resolve, ms, n)) });
export const throwing = task({
  f: (n: number): never => {
    throw new RangeError(`thrown ${n}`, { cause: n });
  },
});
export const late = task({ f: (ms: number) => new Promise<string>((resolve) => setTimeout(resolve, ms, "in time")), timeout: { time: 5, default: "late" } });
export const stuck = task({
  f: (ms: number) => {
    spin(ms);
    return "not stuck";
  },
  timeout: { time: 3, maybe: true },
});
export const listening = task({
  f: (ms: number, { signal }: AbortTools) =>
    new Promise<string>((resolve) => {
      const timer = setTimeout(resolve, ms, "not aborted");
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve("heard");
      });
    }),
  abortSignal: true,
});
export const killing = task({
  f: () => {
    queueMicrotask(() => {
      throw new Error("killed by its task");
    });
    return new Promise<never>(() => {});
  },
});
