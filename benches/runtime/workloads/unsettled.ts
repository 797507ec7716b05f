// An empty task, each call awaited before the next, beside an asynchronous task whose promise stays open: against the same without it.
//
// A worker with an open promise may not block in native code while it waits for calls, since that promise needs its event loop.
import type { Contestant } from "../contestants/contestant.ts";
import type { Samples, Workload } from "../harness/bench.ts";
import { median } from "../harness/stats.ts";

const MICROS = 1000;
/** All calls of a turn are over before: about a hundred times as long as they should take. */
const OPEN_MS = 150;
const CALLS = 1000;

async function turn(contestant: Contestant): Promise<number> {
  await contestant.oneByOne(new Float64Array(20));
  const durations = new Float64Array(CALLS);
  await contestant.oneByOne(durations);
  return median(durations) * MICROS;
}

export const workload: Workload = {
  name: "unsettled",
  async run(bench) {
    await bench.withContestants("unsettled", ["knit", "process"], 1, async (contestants) => {
      for (const contestant of contestants) for (let i = 0; i < 5; i++) await turn(contestant);
      const rounds = bench.rounds(5, 20);
      const alone: Samples = new Map(contestants.map(({ name }) => [name, []]));
      const beside = await bench.interleave("unsettled", contestants, rounds, async (contestant) => {
        alone.get(contestant.name)!.push(await turn(contestant));
        const open = contestant.pause(OPEN_MS);
        const micros = await turn(contestant);
        await open;
        return micros;
      });
      for (const { name } of contestants) {
        const value = median(alone.get(name)!);
        const values = beside.get(name);
        if (values === undefined) continue;
        bench.add(
          {
            id: name === "knit" ? "unsettled" : "unsettled.process",
            title: `empty task beside an unsettled one, p50${name === "knit" ? "" : "; processes"}`,
            unit: "us",
            rounds,
            goal: { kind: "timesOther", other: "alone", value, limit: 1.5 },
          },
          new Map([["knit", values]]),
        );
      }
    });
  },
};
