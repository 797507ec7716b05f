/**
 * What the tests of shared memory have in common.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { KnitError } from "../../ts/index.ts";

/** An error of this package with that code. */
export function coded(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof KnitError && error.code === code, `${code} expected, not ${String(error)} (${(error as KnitError)?.code})`);
    assert.ok(error.message.length > 10 && error.stack !== undefined);
    return true;
  };
}

/** Why mappings cannot be counted here, or false. */
export const noMappings = process.platform !== "linux" && "reads /proc/self/maps";

/** Mappings of anonymous shared memory of that size in this process. */
export function mappings(bytes: number): number {
  const size = Math.ceil(bytes / 4096) * 4096;
  return readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .filter((line) => {
      const [from, to] = line.split(" ", 1)[0].split("-").map((address) => parseInt(address, 16));
      return line.includes("/memfd:knit") && to - from === size;
    }).length;
}
