/** Waiting for what must come. */
import assert from "node:assert/strict";

/** How long the system may take to end what was killed, and a collector to close what nobody has. A run that is right takes a small part of it. */
const PATIENCE_MS = 60_000;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until it is so; fails with `what` if it never is. */
export async function until(what: () => string, met: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await met())) {
    if (performance.now() > end) assert.fail(what());
    await sleep(5);
  }
}
