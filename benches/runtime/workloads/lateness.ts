// How late the host notices the end of a task of 50 ms.
//
// The worker answers with its clock at the end. The clocks of two threads may differ by the error of their time origins, so the
// difference is estimated first from the fastest of many calls that ask for the worker's clock, and taken off where it is
// larger than such a call takes.
import type { Contestant } from "../contestants/contestant.ts";
import { PROCESS_LIMIT_P99, type Workload } from "../harness/bench.ts";
import { quantile } from "../harness/stats.ts";
import { clock } from "../workers/work.js";

const TASK_MS = 50;
const MICROS = 1000;

/** How far the worker's clock is ahead of ours, in ms; 0 where that is too small to tell. */
async function clockAhead(contestant: Contestant): Promise<number> {
  let shortest = Infinity;
  let ahead = 0;
  for (let i = 0; i < 300; i++) {
    const before = clock();
    const there = await contestant.clock();
    const after = clock();
    if (after - before < shortest) {
      shortest = after - before;
      ahead = there - (before + after) / 2;
    }
  }
  return Math.abs(ahead) > shortest / 2 ? ahead : 0;
}

export const workload: Workload = {
  name: "lateness",
  async run(bench) {
    await bench.withContestants("lateness", ["knit", "process", "post", "piscina"], 1, async (contestants) => {
      const ahead = new Map<Contestant, number>();
      for (const contestant of contestants) ahead.set(contestant, await clockAhead(contestant));
      const rounds = bench.rounds(15, 80);
      const samples = await bench.interleave("lateness", contestants, rounds, async (contestant) => {
        const end = await contestant.sleep(TASK_MS);
        return (clock() - (end - ahead.get(contestant)!)) * MICROS;
      });
      bench.add(
        { id: "lateness.p50", title: "lateness of a 50 ms task, p50", unit: "us", rounds, goal: { kind: "atMost", limit: 150 } },
        samples,
      );
      bench.add(
        { id: "lateness.p95", title: "lateness of a 50 ms task, p95", unit: "us", rounds, processLimit: PROCESS_LIMIT_P99 },
        samples,
        (values) => quantile(values, 0.95),
      );
    });
  },
};
