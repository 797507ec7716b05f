/**
 * What a pool has done so far, as `pool.stats()` tells it.
 */
import { FIGURES } from "../generated/layout.ts";

/** Times of calls, in milliseconds. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Figures of a pool, or of one of its workers. */
export interface Figures {
  /** Calls handed over; for a worker, calls it was given to begin with. */
  readonly submitted: number;
  /** Calls that no worker has taken yet. */
  readonly queued: number;
  /** Calls that workers have taken and not answered. */
  readonly running: number;
  /** Calls that were answered with a result. */
  readonly completed: number;
  /** Calls that threw, or died with their worker. */
  readonly failed: number;
  /** Calls that were taken out of the queue. */
  readonly removed: number;
  /** Workers that took the place of dead ones. */
  readonly respawns: number;
  /** Bytes of arguments, and of results. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** From the call to its beginning in a worker. */
  readonly waitTime: Times;
  /** From its beginning to its answer; short calls that a worker has taken together share their time equally. */
  readonly runTime: Times;
}

/** Figures of a pool. */
export interface PoolStats extends Figures {
  /** Calls that the host has run itself. */
  readonly inlined: number;
  readonly workers: readonly Figures[];
}

type Column = (typeof FIGURES)[number];

/** The figures that a block of them holds: a row for the pool, then one for each worker. */
export function statsOf(block: Float64Array, inlined: number): PoolStats {
  const rows = Array.from({ length: block.length / FIGURES.length }, (_, row) => figuresOf(block.subarray(row * FIGURES.length)));
  const [pool, ...workers] = rows as [Figures, ...Figures[]];
  return { ...pool, inlined, workers };
}

function figuresOf(row: Float64Array): Figures {
  const column = (name: Column): number => row[FIGURES.indexOf(name)] as number;
  const times = (p50: Column, p99: Column, max: Column): Times => ({ p50: column(p50), p99: column(p99), max: column(max) });
  return {
    submitted: column("submitted"),
    queued: column("queued"),
    running: column("running"),
    completed: column("completed"),
    failed: column("failed"),
    removed: column("removed"),
    respawns: column("respawns"),
    bytesIn: column("bytesIn"),
    bytesOut: column("bytesOut"),
    waitTime: times("waitP50", "waitP99", "waitMax"),
    runTime: times("runP50", "runP99", "runMax"),
  };
}
