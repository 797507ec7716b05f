// Ten tiny calls made right after one that takes 300 ms, on two workers: the tiny ones must not wait for it.
//
// Twice: the long task sleeps, so that both cores are free for the rest; and it computes, so that the host and the other worker
// share what is left. Before that the same is done many times with a short long task: ten calls in 300 ms would keep engines compiling
// the pool's and the contestants' functions until the last round.
import { open, type Contestant } from "../contestants/contestant.ts";
import { PROCESS_LIMIT_P99, type Bench, type Workload } from "../harness/bench.ts";
import { quantile } from "../harness/stats.ts";

const WORKERS = 2;
const LONG_MS = 300;
const TINY = 10;
const WARM_MS = 0.5;
const WARM_ROUNDS = 1000;

/** Two bare workers, one for the long call and one for the tiny ones: what the machine and the runtime need for them in any case. */
async function floorOf({ runtime }: Bench): Promise<Contestant> {
  const [long, tiny] = await Promise.all([open("post", runtime), open("post", runtime)]);
  return {
    ...tiny,
    name: "floor",
    sleep: long.sleep,
    spin: long.spin,
    close: async () => void (await Promise.all([long.close(), tiny.close()])),
  };
}

async function tinyCalls(contestant: Contestant, long: Promise<number>): Promise<number[]> {
  const start = performance.now();
  const durations = await Promise.all(
    Array.from({ length: TINY }, async () => {
      await contestant.empty();
      return performance.now() - start;
    }),
  );
  await long;
  return durations;
}

export const workload: Workload = {
  name: "beside",
  async run(bench) {
    await bench.withContestants("beside", ["knit", "process", "post", "piscina"], WORKERS, async (opened) => {
      const floor = bench.present(["floor"]).length > 0 ? await floorOf(bench) : null;
      const contestants = floor === null ? opened : [...opened, floor];
      try {
        const rounds = bench.rounds(10, 100);
        for (const contestant of contestants) {
          for (let i = 0; i < (rounds === 1 ? 1 : WARM_ROUNDS); i++) await tinyCalls(contestant, contestant.spin(WARM_MS));
        }
        const sleeping = await bench.interleave("beside", contestants, rounds, (contestant) =>
          tinyCalls(contestant, contestant.sleep(LONG_MS)),
        );
        const computing = await bench.interleave("beside, computing", contestants, rounds, (contestant) =>
          tinyCalls(contestant, contestant.spin(LONG_MS)),
        );
        const p99 = (values: number[]): number => quantile(values, 0.99);
        bench.add(
          {
            id: "beside.sleeping.p99",
            title: "10 tiny calls beside one that sleeps 300 ms, p99",
            unit: "ms",
            rounds,
            goal: { kind: "atMost", limit: 1 },
            processLimit: PROCESS_LIMIT_P99,
          },
          sleeping,
          p99,
        );
        bench.add(
          {
            id: "beside.computing.p99",
            title: "10 tiny calls beside one that computes 300 ms, p99",
            unit: "ms",
            rounds,
            goal: { kind: "atMost", limit: 1 },
            processLimit: PROCESS_LIMIT_P99,
          },
          computing,
          p99,
        );
      } finally {
        await floor?.close();
      }
    });
  },
};
