/**
 * Random calls from a seeded generator, for some time: each promise must settle with one of the outcomes that its call can have, none may be left, and the pool
 * must have nothing left at the end. The calls are the same for a seed; how they interleave with time is not.
 *
 * Memory is measured twice, when no call is open and after a collection: once the run has warmed up, and at the end. `memory.ts` says what counts.
 */
import assert from "node:assert/strict";

import { AbortSlotsExhaustedError, WorkerCrashedError, createPool } from "../../ts/index.ts";
import { kind } from "../fixtures/kind.ts";
import { measure } from "./memory.ts";
import type { Measure } from "./memory.ts";
import { generator } from "../random.ts";
import * as tasks from "./tasks.ts";

/** How calls have settled. */
export interface Settled {
  /** With what the task returned. */
  returned: number;
  /** With what it threw. */
  threw: number;
  /** By their timeout. */
  timedOut: number;
  /** By `reject(reason)` or a signal. */
  aborted: number;
  /** No abort slot was free. */
  refused: number;
  /** With the death of their worker. */
  crashed: number;
}

export interface Outcome {
  readonly calls: number;
  readonly settled: Settled;
  /** Calls of the task that kills its worker. */
  readonly killed: number;
  /** Workers that were replaced. */
  readonly respawns: number;
  /** After the warm-up, and at the end. */
  readonly marks: readonly [Measure, Measure];
}

/** What a call may end as, if its worker does not die; null is wrong. */
type Judge = (outcome: unknown) => keyof Settled | null;

/** Few enough to run out now and then. */
const SLOTS = 6;
/** Part of the run after which memory is measured first. */
const WARM = 0.25;

/** Fails at the first call that ends otherwise than it may. */
export async function stress(seconds: number, seed: number): Promise<Outcome> {
  const random = generator(seed);
  const upTo = (n: number): number => Math.floor(random() * n);
  const pool = createPool(kind({ threads: 3, abortSignalCapacity: SLOTS }))({ ...tasks });
  const { call } = pool;
  const settled: Settled = { returned: 0, threw: 0, timedOut: 0, aborted: 0, refused: 0, crashed: 0 };
  let [made, over, killed] = [0, 0, 0];
  let failure: unknown = null;

  const expect = (what: string, promise: Promise<unknown>, judge: Judge): Promise<void> => {
    made++;
    const check = (outcome: unknown): void => {
      over++;
      const how = outcome instanceof WorkerCrashedError ? "crashed" : judge(outcome);
      if (how === null) failure ??= new Error(`${what} ended with ${String(outcome)}`, { cause: outcome });
      else settled[how]++;
    };
    return promise.then(check, check);
  };
  const returns = (right: boolean): keyof Settled | null => (right ? "returned" : null);

  const kinds: readonly (readonly [weight: number, make: () => Promise<void>])[] = [
    [400, () => {
      const value = { n: made, text: "x".repeat(upTo(200)), list: [made, made + 1] };
      const json = JSON.stringify(value);
      return expect("instant", call.instant(value), (outcome) => returns(JSON.stringify(outcome) === json));
    }],
    [10, () => {
      const bytes = new Uint8Array(upTo(200_000)).fill(made & 255);
      const right = (outcome: unknown): boolean => outcome instanceof Uint8Array && outcome.length === bytes.length && (bytes.length === 0 || outcome.at(-1) === bytes[0]);
      return expect("instant, large", call.instant(bytes), (outcome) => returns(right(outcome)));
    }],
    [30, () => {
      const n = made;
      return expect("short", call.short(n), (outcome) => returns(outcome === n + 1));
    }],
    [80, () => {
      const n = made;
      return expect("later", call.later({ ms: upTo(10), n }), (outcome) => returns(outcome === n));
    }],
    [60, () => {
      const n = made;
      const right = (outcome: unknown): boolean => outcome instanceof RangeError && outcome.message === `thrown ${n}` && outcome.cause === n;
      return expect("throwing", call.throwing(n), (outcome) => (right(outcome) ? "threw" : null));
    }],
    [60, () => expect("late", call.late(upTo(2) * 40), (outcome) => (outcome === "late" ? "timedOut" : returns(outcome === "in time")))],
    [4, () => expect("stuck", call.stuck(10), (outcome) => (outcome === undefined ? "timedOut" : returns(outcome === "not stuck")))],
    [60, () => {
      const controller = new AbortController();
      const ended = expect("aborted", call.instant(1, { signal: controller.signal }), (outcome) => (outcome === "gone" ? "aborted" : returns(outcome === 1)));
      if (random() < 0.5) controller.abort("gone");
      else setTimeout(() => controller.abort("gone"), upTo(5));
      return ended;
    }],
    [20, () => {
      const open = call.listening(upTo(20));
      const tell = random() < 0.5 ? (): void => open.reject("rejected") : (): void => open.reject();
      setTimeout(tell, upTo(10));
      return expect("listening", open, (outcome) => {
        if (outcome === "rejected") return "aborted";
        if (outcome instanceof AbortSlotsExhaustedError) return "refused";
        return returns(outcome === "heard" || outcome === "not aborted");
      });
    }],
    [1, () => {
      killed++;
      return expect("killing", call.killing(), () => null);
    }],
  ];
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0);
  const next = (): Promise<void> => {
    let at = upTo(total);
    for (const [weight, make] of kinds) if ((at -= weight) < 0) return make();
    throw new Error("the weights do not add up");
  };

  const begun = performance.now();
  const runUntil = async (end: number): Promise<void> => {
    while (performance.now() - begun < end * 1000 && failure === null) await Promise.all(Array.from({ length: 1 + upTo(300) }, next));
    if (failure !== null) throw failure;
    assert.equal(over, made, "every promise has settled once");
    // Calls that were given up may still run; then nothing is left.
    const deadline = performance.now() + 30_000;
    for (let { queued, running } = pool.stats(); queued + running > 0; { queued, running } = pool.stats()) {
      assert.ok(performance.now() < deadline, `${queued} queued, ${running} running at the end`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  try {
    await runUntil(seconds * WARM);
    const warm = await measure();
    await runUntil(seconds);
    const all = await Promise.allSettled(Array.from({ length: SLOTS }, () => call.listening(1)));
    assert.ok(all.every(({ status }) => status === "fulfilled"), "every abort slot is free at the end");
    const end = await measure(warm);
    return { calls: made, settled, killed, respawns: pool.stats().respawns, marks: [warm, end] };
  } finally {
    await pool.shutdown();
  }
}
