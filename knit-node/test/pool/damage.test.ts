/**
 * A worker that damages what it answers through is ended and replaced; the other workers' calls go on.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { WorkerCrashedError } from "../../ts/index.ts";
import { engine } from "../../ts/runtime/current.ts";
import { busy, double } from "../fixtures/basic.ts";
import { inProcesses } from "../fixtures/kind.ts";
import { eventually, reason, skip, within, withPool } from "./support.ts";

/** "knitSTRM", as two words. */
const MAGIC = [0x74696e6b, 0x4d525453] as const;

/** The memory of the only pool of this thread. */
function front(): Int32Array {
  for (let handle = 0; handle < 64; handle++) {
    try {
      return new Int32Array(engine().hostFront(handle));
    } catch {
      // Not that one.
    }
  }
  throw new Error("there is no pool");
}

/** Puts the position of the place's replies outside their ring. */
function damage(memory: Int32Array, place: number): void {
  let found = 0;
  for (let at = 0; at < memory.length - 64; at += 32) {
    if (memory[at] !== MAGIC[0] || memory[at + 1] !== MAGIC[1] || found++ !== place) continue;
    Atomics.store(memory, at + 32, -32);
    return;
  }
  throw new Error("there is no such ring");
}

test("a worker whose replies are damaged loses its own calls and is replaced; all others are answered", (t) => {
  if (inProcesses) return skip(t, "the memory is the same, and so is the host");
  return withPool({ threads: 2, host: { steal: false } }, { busy, double }, async ({ call, stats }) => {
    // Both are up. Calls go round.
    await Promise.all([call.double(1), call.double(2)]);
    const lost = reason(call.busy(30_000));
    lost.catch(() => {});
    const others = [call.double(1)];
    await others[0];
    // Before it runs, its worker may write the position once more.
    assert.equal(await eventually(1, () => stats().running), 1);
    damage(front(), 0);
    // Whichever lane they are queued for: those of the damaged one were not taken yet.
    for (let n = 2; n < 20; n++) others.push(call.double(n));
    const answers = Promise.all(others);
    answers.catch(() => {});
    const error = await within(lost, "a call of a worker whose replies are damaged");
    assert.ok(error instanceof WorkerCrashedError, String(error));
    assert.match(error.message, /damaged/);
    assert.deepEqual(await within(answers, "the others' calls"), others.map((_, n) => (n + 1) * 2));
    assert.equal(await eventually(1, () => stats().respawns), 1);
    assert.deepEqual(await Promise.all([call.double(5), call.double(6)]), [10, 12]);
  });
});
