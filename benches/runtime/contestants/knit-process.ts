// The pool, with process workers of the host's runtime. The loops are those of `knit.ts`: see `contestant.ts`.
import { createPool } from "@vixeny/knitting";
import * as tasks from "../workers/tasks.js";
import type { Contestant, Start } from "./contestant.ts";

export const start: Start = ({ workerFlags }, workers, permission): Contestant => {
  const flags = workerFlags.length === 0 ? {} : { workerExecArgv: [...workerFlags] };
  const permissions = permission === undefined ? {} : { permission };
  const pool = createPool({ threads: workers, worker: { runtime: "process" }, ...flags, ...permissions })(tasks);
  const call = pool.call;
  return {
    name: "process",
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
