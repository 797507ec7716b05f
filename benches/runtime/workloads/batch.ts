// Empty tasks, n at once, awaited together: time per call, and whether it stays the same however many there are.
import type { Contestant, ContestantName } from "../contestants/contestant.ts";
import type { Bench, Workload } from "../harness/bench.ts";
import type { Figures } from "../harness/goals.ts";

const MICROS = 1000;
/** A turn repeats its batch for at least so long. */
const TURN_MS = 8;
const SIZES = [10, 100, 1000, 10_000, 100_000, 1_000_000];
/** How much more the cost of a call may grow from the first size to the second than the floor's own. */
const FLAT = { from: 10_000, to: [100_000, 1_000_000], limit: 1.25 };

function limitFor(n: number): number | undefined {
  if (n >= 100_000) return 2;
  return n >= 1000 ? 1.6 : undefined;
}

const spaced = (n: number): string => n.toLocaleString("en").replaceAll(",", " ");

/** Whether a contestant takes part at that size: some would need most of the run's time for the largest. */
function takes(name: ContestantName, n: number, full: boolean): boolean {
  if (n <= 10_000 || name === "knit" || name === "floor") return true;
  if (name === "process") return full || n <= 100_000;
  return full && (n <= 100_000 || name === "post");
}

/** The cost of a call among `n`, as a multiple of what it was in the batch that growth is counted from. */
function addGrowth(bench: Bench, n: number): void {
  const figures: Figures = {};
  for (const name of ["knit", "floor", "post"] as const) {
    const [few, many] = [bench.figure(`batch.${FLAT.from}`, name), bench.figure(`batch.${n}`, name)];
    if (few !== undefined && many !== undefined) figures[name] = many / few;
  }
  bench.rows.push({
    id: `batch.${n}.growth`,
    title: `cost of a call, ${spaced(n)} against ${spaced(FLAT.from)}`,
    unit: "x",
    rounds: 1,
    goal: { kind: "timesFloor", limit: FLAT.limit },
    figures,
  });
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
    await bench.withContestants("batch", ["knit", "process", "floor", "post", "piscina"], 1, async (contestants) => {
      for (const contestant of contestants) {
        for (let i = 0; i < 30; i++) await contestant.emptyBatch(1000);
      }
      for (const n of SIZES) {
        const taking = contestants.filter(({ name }) => takes(name, n, bench.options.pace === "full"));
        const rounds = n >= 1_000_000 ? bench.rounds(1, 3) : n >= 100_000 ? bench.rounds(3, 9) : bench.rounds(9, 31);
        const samples = await bench.interleave(`batch of ${n}`, taking, rounds, (contestant) => {
          // Nobody pays for the garbage of the contestant before.
          if (n >= 10_000) bench.runtime.collect();
          return microsPerCall(contestant, n);
        });
        const limit = limitFor(n);
        bench.add(
          {
            id: `batch.${n}`,
            title: `batch of ${spaced(n)}, per call`,
            unit: "us",
            rounds,
            goal: limit === undefined ? undefined : { kind: "timesFloor", limit },
          },
          samples,
        );
      }
      for (const n of FLAT.to) addGrowth(bench, n);
    });
  },
};
