// A process worker against a thread worker of the same pool.
import type { Workload } from "../harness/bench.ts";
import { quantile } from "../harness/stats.ts";

const MICROS = 1000;
const BATCH = 1000;

export const workload: Workload = {
  name: "processes",
  async run(bench) {
    await bench.withContestants("processes", ["knit", "process"], 1, async (contestants) => {
      for (const contestant of contestants) {
        await contestant.oneByOne(new Float64Array(3000));
        for (let i = 0; i < 30; i++) await contestant.emptyBatch(BATCH);
      }
      const rounds = bench.rounds(10, 40);
      const alone = await bench.interleave("processes", contestants, rounds, async (contestant) => {
        await contestant.oneByOne(new Float64Array(20));
        const durations = new Float64Array(2000);
        await contestant.oneByOne(durations);
        return Array.from(durations, (ms) => ms * MICROS);
      });
      const together = await bench.interleave("processes", contestants, rounds, async (contestant) => {
        await contestant.emptyBatch(BATCH);
        const start = performance.now();
        for (let i = 0; i < 10; i++) await contestant.emptyBatch(BATCH);
        return ((performance.now() - start) * MICROS) / (10 * BATCH);
      });
      const goal = { kind: "processOverThread", limit: 1.2 } as const;
      bench.add({ id: "processes.p50", title: "process worker, one at a time, p50", unit: "us", rounds, goal }, alone);
      bench.add(
        { id: "processes.p99", title: "process worker, one at a time, p99", unit: "us", rounds, goal },
        alone,
        (values) => quantile(values, 0.99),
      );
      bench.add({ id: "processes.batch", title: "process worker, batch of 1 000", unit: "us", rounds, goal }, together);
    });
  },
};
