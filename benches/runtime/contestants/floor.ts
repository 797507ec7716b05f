// The floor: promises whose resolvers are called in a loop, no worker, nothing sent. No caller that hands out one promise per
// call can be faster. Only what has a floor is measured here; the rest throws.
import type { Contestant, Start } from "./contestant.ts";

type Resolve = (value: unknown) => void;

/** `n` promises awaited together, then resolved in order. */
function settle(n: number, value: unknown): Promise<unknown> {
  const all = new Array<Promise<unknown>>(n);
  const resolvers = new Array<Resolve>(n);
  for (let i = 0; i < n; i++) {
    all[i] = new Promise((resolve) => {
      resolvers[i] = resolve;
    });
  }
  const together = Promise.all(all);
  for (let i = 0; i < n; i++) resolvers[i]!(value);
  return together;
}

const noWorker = (): never => {
  throw new Error("the floor has no worker");
};

export const start: Start = (): Contestant => ({
  name: "floor",
  clock: noWorker,
  empty: () => settle(1, undefined),
  echo: (value) => settle(1, value),
  sleep: noWorker,
  pause: noWorker,
  spin: noWorker,
  fib: noWorker,
  async oneByOne(durations) {
    let before = performance.now();
    for (let i = 0; i < durations.length; i++) {
      await settle(1, undefined);
      const after = performance.now();
      durations[i] = after - before;
      before = after;
    }
  },
  emptyBatch: (n) => settle(n, undefined),
  echoBatch: (value, n) => settle(n, value),
  close: async () => {},
});
