// The pool, with thread workers.
import { createPool } from "@vixeny/knitting";
import * as tasks from "../workers/tasks.js";
import type { Contestant, Start } from "./contestant.ts";

export const start: Start = (_runtime, workers): Contestant => {
  const pool = createPool({ threads: workers })(tasks);
  const call = pool.call;
  return {
    name: "knit",
    clock: () => call.clock(),
    empty: () => call.empty(),
    echo: (value) => call.echo(value),
    sleep: (ms) => call.sleep(ms),
    pause: (ms) => call.pause(ms),
    spin: (ms) => call.spin(ms),
    fib: (n) => call.fib(n),
    async oneByOne(durations) {
      let before = performance.now();
      for (let i = 0; i < durations.length; i++) {
        await call.empty();
        const after = performance.now();
        durations[i] = after - before;
        before = after;
      }
    },
    emptyBatch(n) {
      const all = new Array<Promise<unknown>>(n);
      for (let i = 0; i < n; i++) all[i] = call.empty();
      return Promise.all(all);
    },
    echoBatch(value, n) {
      const all = new Array<Promise<unknown>>(n);
      for (let i = 0; i < n; i++) all[i] = call.echo(value);
      return Promise.all(all);
    },
    close: async () => void (await pool.shutdown()),
  };
};
