/**
 * Memory follows the load: a million calls may be in flight, and after a burst of large values the system has its pages back.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { double } from "../fixtures/basic.ts";
import { Gate, holds } from "../fixtures/held.ts";
import { checksum, pattern, sum } from "../fixtures/payload.ts";
import { GUARD_MS, sleep, withPool } from "./support.ts";

const MIB = 1024 * 1024;

test("a million calls in flight are answered, each with its own result", { timeout: 120_000 }, () =>
  withPool({}, { double }, async ({ call }) => {
    const calls = Array.from({ length: 1_000_000 }, (_, i) => call.double(i));
    let wrong = 0;
    (await Promise.all(calls)).forEach((value, i) => void (value !== i * 2 && wrong++));
    assert.equal(wrong, 0);
  }));

/** Bytes of shared memory that this process has in use. */
function sharedBytes(): number {
  return Number(/^RssShmem:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
}

const skip = process.platform === "linux" ? false : "only Linux tells how much shared memory a process uses";

test("a pool reserves less than 1 GiB of addresses for each worker, and a mapping of its memory once", { skip }, async () => {
  const mapped = (): number => {
    const sizes = readFileSync("/proc/self/maps", "utf8").matchAll(/^([0-9a-f]+)-([0-9a-f]+) .* \/memfd:/gm);
    return [...sizes].reduce((sum, [, from, to]) => sum + Number.parseInt(to!, 16) - Number.parseInt(from!, 16), 0);
  };
  const before = mapped();
  await withPool({ threads: 4 }, { double }, async ({ call }) => {
    assert.deepEqual(await Promise.all([1, 2, 3, 4].map((n) => call.double(n))), [2, 4, 6, 8]);
    const bytes = mapped() - before;
    assert.ok(bytes > 0 && bytes < 4 * 1024 * MIB, `${bytes} bytes`);
  });
});

const BLOCK = 8 * MIB;
/** 128 MiB. V8 sees no need to collect before there are 64 MiB of foreign memory more than were left after it collected last, and in a burst some were in use then. */
const MOST_LEFT = 16;

test("a burst of 1 GiB in large values gives its pages back", { timeout: 120_000, skip }, () =>
  withPool({ payload: { payloadMaxByteLength: 1024 * MIB } }, { sum, holds }, async ({ call }) => {
    // Else a worker that is faster than its host leaves no burst.
    const gate = new Gate();
    const held = call.holds(gate.shared);
    await gate.taken();
    const before = sharedBytes();
    const value = pattern(BLOCK);
    /** Values that are still there. What is over whole ones are the pool's own rings and tables, most of a megabyte, which it uses from now on. */
    const left = (): number => Math.floor((sharedBytes() - before) / BLOCK);
    let most = 0;
    const calls = Array.from({ length: 128 }, () => {
      const sent = call.sum(value);
      most = Math.max(most, sharedBytes());
      return sent;
    });
    gate.open();
    assert.equal(await held, "let go");
    const wanted = checksum(value);
    assert.ok((await Promise.all(calls)).every((one) => one === wanted));
    assert.ok(most - before > 256 * MIB, `the burst used ${most - before} bytes of shared memory`);
    const end = performance.now() + GUARD_MS / 2;
    while (left() > MOST_LEFT && performance.now() < end) {
      await sleep(50);
      // What the worker was shown goes when its collector runs. Deno's does not while a worker has nothing at all to do.
      await call.sum(pattern(7000));
    }
    assert.ok(left() <= MOST_LEFT, `${sharedBytes() - before} bytes are still in use`);
    // And it can be used again.
    assert.equal(await call.sum(value), wanted);
  }));
