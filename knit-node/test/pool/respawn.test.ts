/**
 * A worker that cannot start is tried again, later and later; a pool that nobody serves gives up, and says why.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import assert from "node:assert/strict";

import { WorkerCrashedError, WorkerStartError, createPool } from "../../ts/index.ts";
import { MOST_FAILURES, respawnDelay } from "../../ts/host/respawn.ts";
import { fine } from "../fixtures/control/fickle.ts";
import { dies } from "../fixtures/dying.ts";
import { reason, sleep, within } from "./support.ts";
import { kind } from "../fixtures/kind.ts";

type Mood = "fine" | "fails" | "dies";

async function withMood(threads: number, mood: Mood, use: (pool: ReturnType<typeof make>, feel: (mood: Mood) => void, attempts: () => number) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "knit-respawn-"));
  const data = { attempts: join(folder, "attempts"), mood: join(folder, "mood") };
  const feel = (now: Mood): void => writeFileSync(data.mood, now);
  feel(mood);
  const pool = make(threads, data);
  try {
    await use(pool, feel, () => readFileSync(data.attempts).length);
  } finally {
    await within(pool.shutdown(), "shutdown()");
    rmSync(folder, { recursive: true });
  }
}

function make(threads: number, data: object) {
  return createPool(kind({ threads, permission: "unsafe", worker: { bootstrap: { href: "../fixtures/control/fickle.ts", name: "fickle", data } } }))({ fine, dies });
}

test("delays grow from nothing to a bound", () => {
  const delays = Array.from({ length: 20 }, (_, failures) => respawnDelay(failures));
  assert.equal(delays[0], 0);
  for (let i = 1; i < delays.length; i++) assert.ok(delays[i]! > 0 && delays[i]! >= delays[i - 1]! && delays[i]! <= 30_000);
  assert.equal(delays.at(-1), 30_000);
});

for (const mood of ["fails", "dies"] as const) {
  test(`a replacement that ${mood} at start-up is tried again, and its pool serves when that passes`, () =>
    withMood(1, "fine", async (pool, feel, attempts) => {
      assert.equal(await within(pool.call.fine(), "the first call"), "fine");
      feel(mood);
      const crash = reason(pool.call.dies("now"));
      const waiting = pool.call.fine();
      assert.ok((await crash) instanceof WorkerCrashedError);
      while (attempts() < 3) await sleep(5);
      feel("fine");
      assert.equal(await within(waiting, "a call that waits for the replacement"), "fine");
      assert.ok(attempts() <= MOST_FAILURES + 1);
    }));

  test(`a pool whose only replacement ever ${mood} gives up, and rejects every call with the reason`, () =>
    withMood(1, "fine", async (pool, feel, attempts) => {
      assert.equal(await within(pool.call.fine(), "the first call"), "fine");
      feel(mood);
      void reason(pool.call.dies("now"));
      const error = await within(reason(pool.call.fine()), "a call that nobody will take");
      assert.ok(error instanceof WorkerStartError, String(error));
      assert.match(error.message, /mood/);
      assert.equal(attempts(), 1 + MOST_FAILURES);
      assert.equal(await reason(pool.call.fine()), error);
    }));
}

test("while others serve, calls go to them, however often one place cannot be filled", () =>
  withMood(2, "fine", async (pool, feel, attempts) => {
    await Promise.all(Array.from({ length: 50 }, () => pool.call.fine()));
    while (attempts() < 2) await sleep(5);
    feel("dies");
    assert.ok((await reason(pool.call.dies("now"))) instanceof WorkerCrashedError);
    for (let i = 0; i < 30; i++) {
      assert.deepEqual(new Set(await within(Promise.all(Array.from({ length: 20 }, () => pool.call.fine())), "calls beside a dead place")), new Set(["fine"]));
      await sleep(10);
    }
    feel("fine");
  }));

test("first workers that die before they serve are tried again, too", () =>
  withMood(1, "dies", async (pool, feel, attempts) => {
    const call = pool.call.fine();
    for (;;) {
      try {
        if (attempts() >= 2) break;
      } catch {
        // Not written yet.
      }
      await sleep(5);
    }
    feel("fine");
    assert.equal(await within(call, "a call that waits for a worker"), "fine");
  }));
