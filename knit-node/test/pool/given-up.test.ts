/**
 * A worker thread that cannot be ended is given up (on Deno; the other runtimes end it). It may come back.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { HardTimeoutError } from "../../ts/index.ts";
import { comesBack, shaped } from "../fixtures/control/stuck.ts";
import { reason, sleep, within, withPool } from "./support.ts";

test("a call that comes back after its worker was given up disturbs nobody", { timeout: 120_000 }, () =>
  withPool({ worker: { hardTimeoutMs: 2000 } }, { comesBack, shaped }, async ({ call }) => {
    const end = performance.now() + 9_000;
    assert.ok((await within(reason(call.comesBack(8_000)), "the call that does not end")) instanceof HardTimeoutError);
    for (let n = 0; performance.now() < end; n++) {
      assert.deepEqual(await call.shaped(n % 300), { [`key${n % 300}`]: n % 300, also: n % 300 });
      if (n % 20 === 0) await sleep(10);
    }
  }));
