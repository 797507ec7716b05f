// The pool, with thread workers or with process workers.
import { createPool } from "@vixeny/knitting";
import * as tasks from "../workers/tasks.js";
import type { Contestant, ContestantName, Start } from "./contestant.ts";

function start(name: ContestantName, threads: number, runtime: "thread" | "process"): Contestant {
  const pool = createPool({ threads, worker: { runtime } })(tasks);
  const call = pool.call;
  return {
    name,
    clock: () => call.clock(),
    empty: () => call.empty(),
    echo: (value) => call.echo(value),
    sleep: (ms) => call.sleep(ms),
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
}

export const startThreads: Start = (_runtime, workers) => start("knit", workers, "thread");
export const startProcesses: Start = (_runtime, workers) => start("process", workers, "process");
