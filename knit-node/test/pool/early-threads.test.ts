/**
 * Threads that are begun before all is known about their pool: one that cannot be made leaves none behind.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import { createPool } from "../../ts/index.ts";
import { whoAmI } from "../fixtures/basic.ts";
import { testOfThreads, withPool } from "./support.ts";

const threads = (): number => readdirSync("/proc/self/task").length;

testOfThreads("processes are started when all is known")("a pool that cannot be made leaves no thread, and the next one works", { timeout: 120_000, skip: process.platform !== "linux" }, async () => {
  const use = (): Promise<void> => withPool({ threads: 2 }, { whoAmI }, async ({ call }) => assert.ok((await call.whoAmI()) !== undefined));
  // What a runtime's first worker brings along stays.
  await use();
  const before = threads();
  for (let i = 0; i < 5; i++) assert.throws(() => createPool({ threads: 4, workerExecArgv: ["--no-such-flag"] })({ whoAmI }), /--no-such-flag/);
  // Four at most may be the runtime's own: some come and go with its work. Of twenty none may stay.
  for (let tries = 0; threads() > before + 4 && tries < 1000; tries++) await delay(50);
  assert.ok(threads() <= before + 4, `${threads()} threads, ${before} before`);
  await use();
});
