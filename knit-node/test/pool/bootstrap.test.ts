/**
 * worker.bootstrap runs once in each worker, before task modules load. source is the user's own entry.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { UnsupportedValueError, WorkerStartError, createPool } from "../../ts/index.ts";
import type { BootstrapOptions } from "../../ts/index.ts";
import { seen } from "../fixtures/control/boots.ts";
import { entered } from "../fixtures/control/entered.ts";
import { whatWasPrepared } from "../fixtures/control/prepared.ts";
import { reason, within, withPool } from "./support.ts";
import { kind } from "../fixtures/kind.ts";

const HREF = "../fixtures/control/boots.ts";

test("it is awaited once in each worker, with its data as it left", () => {
  const data = { list: [1, undefined, -0], when: new Date(5), bytes: new Uint8Array([1, 2, 3]), big: 2n ** 70n };
  return withPool({ threads: 3, balancer: "roundRobin", worker: { bootstrap: { href: HREF, data } } }, { seen }, async ({ call }) => {
    const all = await Promise.all(Array.from({ length: 30 }, () => call.seen()));
    assert.equal(new Set(all.map(({ thread }) => thread)).size, 3);
    for (const left of all) {
      assert.equal(left.times, 1);
      assert.deepStrictEqual(left.data, data);
    }
  });
});

test("it has run before modules of tasks are evaluated", () =>
  withPool({ worker: { bootstrap: { href: new URL("../fixtures/control/boots-alone.ts", import.meta.url), name: "prepare", data: "ready" } } }, { whatWasPrepared }, async ({ call }) => {
    assert.equal(await call.whatWasPrepared(), "ready");
  }));

test("without data it gets undefined", () =>
  withPool({ worker: { bootstrap: { href: HREF } } }, { seen }, async ({ call }) => {
    assert.deepEqual({ ...(await call.seen()), thread: 0 }, { data: undefined, times: 1, before: undefined, thread: 0 });
  }));

for (const [what, bootstrap, says] of [
  ["that throws", { href: HREF, name: "fails", data: "no key" }, /"fails" of .*boots\.ts.*RangeError: no key/],
  ["that rejects", { href: HREF, name: "failsLater", data: "no key" }, /"failsLater" of .*boots\.ts.*RangeError: no key/],
  ["whose module is missing", { href: "./nowhere.ts" }, /nowhere\.ts/],
  ["that the module does not export", { href: HREF, name: "gone" }, /boots\.ts has no function "gone"/],
  ["that is no function", { href: HREF, name: "nothing" }, /boots\.ts has no function "nothing"/],
] as const satisfies readonly (readonly [string, BootstrapOptions, RegExp])[]) {
  test(`one ${what} rejects every call with WorkerStartError`, async () => {
    const pool = createPool(kind({ threads: 2, worker: { bootstrap } }))({ seen });
    try {
      for (const error of await within(Promise.all([reason(pool.call.seen()), reason(pool.call.seen())]), "calls")) {
        assert.ok(error instanceof WorkerStartError, String(error));
        assert.match(error.message, says);
      }
    } finally {
      await pool.shutdown();
    }
  });
}

test("data that cannot travel is an error of createPool that says where it is", () => {
  assert.throws(
    () => void createPool({ worker: { bootstrap: { href: HREF, data: { on: [() => 1] } } } }),
    (error) => error instanceof UnsupportedValueError && error.path === "worker.bootstrap.data.on[0]",
  );
});

test("source is run in place of the package's own entry", () =>
  withPool({ threads: 2, source: "../fixtures/control/own-entry.ts" }, { entered }, async ({ call }) => {
    assert.equal(await call.entered(), "was here");
  }));

test("a source that does not serve rejects every call, and says what to import", async () => {
  const pool = createPool(kind({ source: new URL("../fixtures/control/no-entry.ts", import.meta.url) }))({ entered });
  try {
    const error = await within(reason(pool.call.entered()), "a call to workers that do not serve");
    assert.ok(error instanceof WorkerStartError, String(error));
    assert.match(error.message, /no-entry\.ts.*@vixeny\/knitting\/worker/);
  } finally {
    await within(pool.shutdown(), "shutdown()");
  }
});
