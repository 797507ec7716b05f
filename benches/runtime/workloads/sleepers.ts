// Four tasks of 40 ms at once on two workers: two rounds of them, and next to nothing beside.
import type { Workload } from "../harness/bench.ts";

const WORKERS = 2;
const TASKS = 4;
const TASK_MS = 40;

export const workload: Workload = {
  name: "sleepers",
  async run(bench) {
    await bench.withContestants("sleepers", ["knit", "process", "post", "piscina"], WORKERS, async (contestants) => {
      for (const contestant of contestants) await contestant.emptyBatch(400);
      const rounds = bench.rounds(5, 20);
      const samples = await bench.interleave("sleepers", contestants, rounds, async (contestant) => {
        const start = performance.now();
        await Promise.all(Array.from({ length: TASKS }, () => contestant.sleep(TASK_MS)));
        return performance.now() - start;
      });
      bench.add(
        { id: "sleepers", title: `${TASKS} tasks of ${TASK_MS} ms on ${WORKERS} workers`, unit: "ms", rounds, goal: { kind: "atMost", limit: 84 } },
        samples,
      );
    });
  },
};
