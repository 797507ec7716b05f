// Piscina, with its defaults and a fixed number of threads.
import { Piscina } from "piscina";
import type { Contestant, Start } from "./contestant.ts";

export const start: Start = (_runtime, workers): Contestant => {
  const pool = new Piscina({
    filename: new URL("../workers/work.js", import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
  });
  const run = (name: string, value?: unknown): Promise<any> => pool.run(value, { name });
  const empty = { name: "empty" };
  const echo = { name: "echo" };
  return {
    name: "piscina",
    clock: () => run("clock"),
    empty: () => pool.run(undefined, empty),
    echo: (value) => pool.run(value, echo),
    sleep: (ms) => run("sleep", ms),
    pause: (ms) => run("pause", ms),
    spin: (ms) => run("spin", ms),
    fib: (n) => run("fib", n),
    async oneByOne(durations) {
      let before = performance.now();
      for (let i = 0; i < durations.length; i++) {
        await pool.run(undefined, empty);
        const after = performance.now();
        durations[i] = after - before;
        before = after;
      }
    },
    emptyBatch(n) {
      const all = new Array<Promise<unknown>>(n);
      for (let i = 0; i < n; i++) all[i] = pool.run(undefined, empty);
      return Promise.all(all);
    },
    echoBatch(value, n) {
      const all = new Array<Promise<unknown>>(n);
      for (let i = 0; i < n; i++) all[i] = pool.run(value, echo);
      return Promise.all(all);
    },
    close: async () => void (await pool.destroy()),
  };
};
