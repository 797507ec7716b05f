/**
 * Random calls that succeed, throw, time out, are aborted or kill their worker: each settles once, with what it may settle with. `stress/main.ts` does it for longer.
 */
import { test } from "node:test";

import { stress } from "../stress/run.ts";
import { within } from "./support.ts";

const SECONDS = Number(process.env.KNIT_STRESS_SECONDS ?? 2);

for (const seed of [1, 2]) {
  test(`every call of a random mix settles once, with a right outcome, and nothing is left: seed ${seed}`, { timeout: SECONDS * 1000 + 120_000 }, async () => {
    await within(stress(SECONDS, seed), "the stress run", SECONDS * 1000 + 110_000);
  });
}
