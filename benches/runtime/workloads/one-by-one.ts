// An empty task, each call awaited before the next.
import { PROCESS_LIMIT_P99, type Workload } from "../harness/bench.ts";
import type { Contestant } from "../contestants/contestant.ts";
import { quantile } from "../harness/stats.ts";

const MICROS = 1000;

/** Calls per turn: fewer of those that take a hundred times as long. */
const callsPerTurn = (contestant: Contestant): number =>
  contestant.name === "post" || contestant.name === "piscina" ? 300 : 3000;

export const workload: Workload = {
  name: "one-by-one",
  async run(bench) {
    await bench.withContestants("one-by-one", ["knit", "process", "floor", "post", "piscina"], 1, async (contestants) => {
      for (const contestant of contestants) await contestant.oneByOne(new Float64Array(callsPerTurn(contestant)));
      const rounds = bench.rounds(10, 40);
      const samples = await bench.interleave("one-by-one", contestants, rounds, async (contestant) => {
        // The first calls of a turn wake a worker that has gone to sleep: that is the workload `quiet`.
        await contestant.oneByOne(new Float64Array(20));
        const durations = new Float64Array(callsPerTurn(contestant));
        await contestant.oneByOne(durations);
        return Array.from(durations, (ms) => ms * MICROS);
      });
      const row = (id: string, q: number) =>
        bench.add(
          {
            id: `one-by-one.${id}`,
            title: `empty task, one at a time, ${id}`,
            unit: "us",
            rounds,
            goal: q === 0.5 ? { kind: "partOfPost", limit: 120 } : undefined,
            ...(q === 0.5 ? {} : { processLimit: q === 0.99 ? PROCESS_LIMIT_P99 : null }),
          },
          samples,
          (values) => quantile(values, q),
        );
      row("p50", 0.5);
      row("p99", 0.99);
      row("p99.9", 0.999);
    });
  },
};
