// Echo of values of many kinds and sizes, in batches: time per call. Every answer is compared with what was sent, once.
import { isDeepStrictEqual } from "node:util";
import type { Contestant, ContestantName } from "../contestants/contestant.ts";
import type { Workload } from "../harness/bench.ts";
import type { Goal } from "../harness/goals.ts";
import type { Pace } from "../harness/options.ts";
import { PAYLOADS, type Payload } from "../harness/payloads.ts";

const MICROS = 1000;
const TURN_MS = 6;
/** Every kind of value is new code to the engines: it must be compiled on both sides before it is timed. */
const WARM_UP_MS: Record<Pace, number> = { full: 250, quick: 100, check: 0 };

async function warmUp(contestant: Contestant, { value, batch }: Payload, ms: number): Promise<void> {
  const start = performance.now();
  while (performance.now() - start < ms) await contestant.echoBatch(value, batch);
}

async function microsPerCall(contestant: Contestant, { value, batch }: Payload): Promise<number> {
  await contestant.echoBatch(value, batch);
  let batches = 0;
  const start = performance.now();
  let elapsed = 0;
  do {
    await contestant.echoBatch(value, batch);
    batches++;
    elapsed = performance.now() - start;
  } while (elapsed < TURN_MS);
  return (elapsed * MICROS) / (batches * batch);
}

function goalOf(payload: Payload, number: number | undefined): Goal | undefined {
  if (payload.micros !== undefined) return { kind: "atMost", limit: payload.micros };
  if (payload.timesNumber !== undefined && number !== undefined) {
    return { kind: "timesOther", other: "number", value: number, limit: payload.timesNumber };
  }
  return undefined;
}

export const workload: Workload = {
  name: "payloads",
  async run(bench) {
    // A quick run shows what processes cost with calls that carry nothing.
    const names: ContestantName[] = ["knit", "post", "piscina", ...(bench.options.pace === "quick" ? [] : ["process" as const])];
    await bench.withContestants("payloads", names, 1, async (contestants) => {
      const rounds = bench.rounds(7, 25);
      for (const payload of PAYLOADS) {
        const where = `payload ${payload.name}`;
        const right: Contestant[] = [];
        for (const contestant of contestants) {
          try {
            if (!isDeepStrictEqual(await contestant.echo(payload.value), payload.value)) {
              throw new Error("what came back is not what was sent");
            }
            await warmUp(contestant, payload, WARM_UP_MS[bench.options.pace]);
            right.push(contestant);
          } catch (error) {
            bench.problem(where, contestant.name, error);
          }
        }
        const samples = await bench.interleave(where, right, rounds, (contestant) => microsPerCall(contestant, payload));
        bench.add(
          {
            id: `payload.${payload.name}`,
            title: `echo of ${payload.name}, ${payload.batch} at once`,
            unit: "us",
            rounds,
            goal: goalOf(payload, bench.figure("payload.number", "knit")),
          },
          samples,
        );
      }
    });
  },
};
