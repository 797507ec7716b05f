// CPU-bound work on all cores: 16 calls of fib(27) on two workers.
import type { Workload } from "../harness/bench.ts";

const WORKERS = 2;
const CALLS = 16;
const N = 27;
const RESULT = 196_418;

export const workload: Workload = {
  name: "cores",
  async run(bench) {
    await bench.withContestants("cores", ["knit", "process", "post", "piscina"], WORKERS, async (contestants) => {
      const run = async (call: (n: number) => Promise<number>): Promise<number> => {
        const start = performance.now();
        const results = await Promise.all(Array.from({ length: CALLS }, () => call(N)));
        const elapsed = performance.now() - start;
        if (results.some((result) => result !== RESULT)) throw new Error(`fib(${N}) came back as ${results}`);
        return elapsed;
      };
      for (const contestant of contestants) for (let i = 0; i < 5; i++) await run(contestant.fib);
      const rounds = bench.rounds(15, 51);
      const samples = await bench.interleave("cores", contestants, rounds, (contestant) => run(contestant.fib));
      bench.add(
        {
          id: "cores",
          title: `${CALLS} x fib(${N}) on ${WORKERS} workers`,
          unit: "ms",
          rounds,
          goal: { kind: "timesPost", limit: 1.03 },
        },
        samples,
      );
    });
  },
};
