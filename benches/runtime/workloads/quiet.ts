// One call after 20 ms in which nothing happened: how long it takes to wake both sides.
import { setTimeout as delay } from "node:timers/promises";
import { PROCESS_LIMIT_P99, type Workload } from "../harness/bench.ts";
import { quantile } from "../harness/stats.ts";

const QUIET_MS = 20;
const MICROS = 1000;

export const workload: Workload = {
  name: "quiet",
  async run(bench) {
    await bench.withContestants("quiet", ["knit", "process", "post", "piscina"], 1, async (contestants) => {
      for (const contestant of contestants) await contestant.oneByOne(new Float64Array(200));
      const rounds = bench.rounds(60, 500);
      const samples = await bench.interleave("quiet", contestants, rounds, async (contestant) => {
        await delay(QUIET_MS);
        const start = performance.now();
        await contestant.empty();
        return (performance.now() - start) * MICROS;
      });
      bench.add(
        { id: "quiet.p50", title: "call after 20 ms of quiet, p50", unit: "us", rounds, goal: { kind: "atMost", limit: 120 } },
        samples,
      );
      bench.add(
        {
          id: "quiet.p99",
          title: "call after 20 ms of quiet, p99",
          unit: "us",
          rounds,
          goal: { kind: "atMost", limit: 1000 },
          processLimit: PROCESS_LIMIT_P99,
        },
        samples,
        (values) => quantile(values, 0.99),
      );
    });
  },
};
