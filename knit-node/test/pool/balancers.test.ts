/** Balancers: whatever is chosen, every call is answered, and by the workers that it says. */
import assert from "node:assert/strict";
import { test } from "node:test";

import type { Strategy } from "../../ts/index.ts";
import { double, sleepy, whoAmI } from "../fixtures/basic.ts";
import { withPool } from "./support.ts";

const STRATEGIES: readonly Strategy[] = ["roundRobin", "robinRound", "firstIdle", "randomLane", "firstIdleOrRandom", "leastLoaded"];

for (const strategy of STRATEGIES) {
  for (const steal of [false, true]) {
    test(`${strategy}, ${steal ? "with" : "without"} stealing, answers every call with its own result`, () =>
      withPool({ threads: 3, balancer: { strategy }, host: { steal } }, { double, sleepy }, async ({ call }) => {
        const long = [call.sleepy(20), call.sleepy(20)];
        for (let round = 0; round < 3; round++) {
          const results = await Promise.all(Array.from({ length: 500 }, (_, i) => call.double(i)));
          assert.deepEqual(results, Array.from({ length: 500 }, (_, i) => i * 2));
        }
        await Promise.all(long);
      }));
  }
}

test("with firstIdle, calls one after the other all run in the first worker", () =>
  withPool({ threads: 3, balancer: "firstIdle" }, { whoAmI }, async ({ call }) => {
    const who = new Set<unknown>();
    for (let i = 0; i < 20; i++) who.add(await call.whoAmI());
    assert.equal(who.size, 1);
  }));
