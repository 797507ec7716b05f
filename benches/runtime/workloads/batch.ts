// Empty tasks, n at once, awaited together: time per call.
import type { Contestant } from "../contestants/contestant.ts";
import type { Workload } from "../harness/bench.ts";

const MICROS = 1000;
/** A turn repeats its batch for at least so long. */
const TURN_MS = 8;

function limitFor(n: number): number | undefined {
  if (n >= 100_000) return 2;
  return n >= 1000 ? 1.6 : undefined;
}

async function microsPerCall(contestant: Contestant, n: number): Promise<number> {
  await contestant.emptyBatch(Math.min(n, 1000));
  let batches = 0;
  const start = performance.now();
  let elapsed = 0;
  do {
    await contestant.emptyBatch(n);
    batches++;
    elapsed = performance.now() - start;
  } while (elapsed < TURN_MS);
  return (elapsed * MICROS) / (batches * n);
}

export const workload: Workload = {
  name: "batch",
  async run(bench) {
    await bench.withContestants("batch", ["knit", "floor", "post", "piscina"], 1, async (contestants) => {
      for (const contestant of contestants) {
        for (let i = 0; i < 30; i++) await contestant.emptyBatch(1000);
      }
      const sizes = [10, 100, 1000, 10_000, 100_000, ...(bench.options.quick ? [] : [1_000_000])];
      for (const n of sizes) {
        // With its default of one task at a time per worker Piscina would need most of the run's time for these.
        const piscinaLimit = bench.options.quick ? 10_000 : 100_000;
        const taking = contestants.filter(({ name }) => n <= piscinaLimit || name !== "piscina");
        const rounds = n >= 1_000_000 ? 3 : n >= 100_000 ? bench.rounds(3, 9) : bench.rounds(9, 31);
        const samples = await bench.interleave(`batch of ${n}`, taking, rounds, (contestant) => {
          // Nobody pays for the garbage of the contestant before.
          if (n >= 10_000) bench.runtime.collect();
          return microsPerCall(contestant, n);
        });
        const limit = limitFor(n);
        bench.add(
          {
            id: `batch.${n}`,
            title: `batch of ${n.toLocaleString("en").replaceAll(",", " ")}, per call`,
            unit: "us",
            rounds,
            goal: limit === undefined ? undefined : { kind: "timesFloor", limit },
          },
          samples,
        );
      }
    });
  },
};
