/**
 * process.exit and its like throw in a worker, instead of ending anything.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { ExitInWorkerError } from "../../ts/index.ts";
import { whoAmI } from "../fixtures/basic.ts";
import { WAYS, asks, killsChild, tries, triesLater } from "../fixtures/control/exiting.ts";
import { reason, withPool } from "./support.ts";

test("every way to end the process throws in a task, and its worker lives on", () =>
  withPool({}, { tries, triesLater, whoAmI }, async ({ call }) => {
    const worker = await call.whoAmI();
    for (const way of WAYS) {
      for (const error of [await reason(call.tries(way)), await reason(call.triesLater(way))]) {
        assert.ok(error instanceof ExitInWorkerError, `${way}: ${String(error)}`);
        assert.equal(error.code, "KNT_EXIT_IN_WORKER");
        assert.match(error.message, /shutdown\(\)/);
      }
    }
    assert.equal(await call.whoAmI(), worker);
  }));

test("a task may still ask after a process, and end one that it has started", () =>
  withPool({ permission: "unsafe" }, { asks, killsChild }, async ({ call }) => {
    assert.equal(await call.asks(), true);
    assert.equal(await call.killsChild(), "SIGTERM");
  }));
