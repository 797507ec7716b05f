/**
 * When a worker's place is filled again.
 *
 * After a life, at once. After a failure to start, or a refusal of the system to start it, later and later: what is missing may come back, and a program that cannot start
 * shall not eat a core trying. If nobody serves and nothing has helped so far, waiting calls are told.
 */

/** Failures in a row after which a pool without a serving worker gives up. */
export const MOST_FAILURES = 5;

const FIRST_MS = 50;
const LONGEST_MS = 30_000;

/** Milliseconds to wait after so many failures in a row. */
export function respawnDelay(failures: number): number {
  return failures === 0 ? 0 : Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS);
}
