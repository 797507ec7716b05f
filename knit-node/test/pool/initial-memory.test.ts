/**
 * `payload.mode` and `payload.payloadInitialBytes`: memory that is taken when the pool starts, and kept.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { double } from "../fixtures/basic.ts";
import { pattern, sum } from "../fixtures/payload.ts";
import { GUARD_MS, sleep, withPool } from "./support.ts";

const MIB = 1024 * 1024;
/** A pool has two heaps for the host, and two for each worker. */
const HEAPS = 4;

/** Resident bytes of each memory object that this process has mapped, by inode. */
function objects(): Map<string, number> {
  const found = new Map<string, number>();
  let inode: string | undefined;
  for (const line of readFileSync("/proc/self/smaps", "utf8").split("\n")) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) inode = / (\d+) +\/memfd:/.exec(line)?.[1];
    const rss = /^Rss: +(\d+) kB/.exec(line);
    if (rss !== null && inode !== undefined) found.set(inode, (found.get(inode) ?? 0) + Number(rss[1]) * 1024);
  }
  return found;
}

/** The memory object that is new since then. */
function newest(before: ReadonlyMap<string, number>): string {
  const inode = [...objects().keys()].find((each) => !before.has(each));
  assert.ok(inode !== undefined, "the pool has mapped its memory");
  return inode;
}

const skip = process.platform === "linux" ? false : "only Linux tells what a process has of each mapping";

test("memory that is taken at the start is there before the first call, and stays when the rest is given back", { timeout: 120_000, skip }, async () => {
  const before = objects();
  const taken = HEAPS * 4 * MIB;
  await withPool({ payload: { payloadInitialBytes: 4 * MIB } }, { sum }, async ({ call }) => {
    const pool = newest(before);
    const resident = (): number => objects().get(pool) ?? 0;
    assert.ok(resident() >= taken, `${resident()} bytes`);
    // All at once, and none so large that the worker may keep it.
    const value = pattern(200_000);
    await Promise.all(Array.from({ length: 200 }, () => call.sum(value)));
    // More than a second, after which what is not kept goes.
    await sleep(1500);
    const most = taken + 4 * MIB;
    const end = performance.now() + GUARD_MS / 2;
    while (resident() > most && performance.now() < end) await sleep(50);
    assert.ok(resident() >= taken && resident() <= most, `${resident()} bytes`);
  });
});

test("of a fixed size all memory is taken at the start; a pool that grows takes next to none", { skip }, async () => {
  for (const [mode, least, most] of [["fixed", HEAPS * 8 * MIB, Infinity], ["growable", 0, 8 * MIB]] as const) {
    const before = objects();
    await withPool({ payload: { mode, payloadMaxByteLength: 8 * MIB } }, { double }, async ({ call }) => {
      const used = objects().get(newest(before)) ?? 0;
      assert.ok(used >= least && used < most, `${mode}: ${used} bytes`);
      assert.equal(await call.double(2), 4);
    });
  }
});
