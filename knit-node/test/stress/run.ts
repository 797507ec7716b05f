/**
 * Random calls from a seeded generator, for some time: each promise must settle with one of the outcomes that its call can have, none may be left, and the pool
 * must have nothing left at the end.
 */
import assert from "node:assert/strict";

import { WorkerCrashedError, createPool } from "../../ts/index.ts";
import * as tasks from "./tasks.ts";

export interface Outcome {
  readonly calls: number;
  readonly deaths: number;
  /** Bytes by which the process has grown from the middle of the run to its end. */
  readonly growth: number;
}

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fails at the first call that ends otherwise than it may. */
export async function stress(seconds: number, seed: number): Promise<Outcome> {
  const random = generator(seed);
  const upTo = (n: number): number => Math.floor(random() * n);
  const pool = createPool({ threads: 3, abortSignalCapacity: 64 })({ ...tasks });
  const { call } = pool;
  let [made, settled, deaths] = [0, 0, 0];
  let failure: unknown = null;

  /** One of `values`, or a death of the worker. */
  const expect = (what: string, promise: Promise<unknown>, right: (outcome: unknown) => boolean): Promise<void> => {
    made++;
    const check = (outcome: unknown): void => {
      settled++;
      if (outcome instanceof WorkerCrashedError || right(outcome)) return;
      failure ??= new Error(`${what} ended with ${String(outcome)}`, { cause: outcome });
    };
    return promise.then(check, check);
  };

  const kinds: readonly (readonly [weight: number, make: () => Promise<void>])[] = [
    [400, () => {
      const value = { n: made, text: "x".repeat(upTo(200)), list: [made, made + 1] };
      const json = JSON.stringify(value);
      return expect("instant", call.instant(value), (outcome) => JSON.stringify(outcome) === json);
    }],
    [10, () => {
      const bytes = new Uint8Array(upTo(200_000)).fill(made & 255);
      return expect("instant, large", call.instant(bytes), (outcome) => outcome instanceof Uint8Array && outcome.length === bytes.length && (bytes.length === 0 || outcome.at(-1) === bytes[0]));
    }],
    [30, () => {
      const n = made;
      return expect("short", call.short(n), (outcome) => outcome === n + 1);
    }],
    [80, () => {
      const n = made;
      return expect("later", call.later({ ms: upTo(10), n }), (outcome) => outcome === n);
    }],
    [60, () => {
      const n = made;
      return expect("throwing", call.throwing(n), (outcome) => outcome instanceof RangeError && outcome.message === `thrown ${n}` && outcome.cause === n);
    }],
    [60, () => expect("late", call.late(upTo(2) * 40), (outcome) => outcome === "late" || outcome === "in time")],
    [4, () => expect("stuck", call.stuck(10), (outcome) => outcome === undefined)],
    [60, () => {
      const controller = new AbortController();
      const ended = expect("aborted", call.instant(1, { signal: controller.signal }), (outcome) => outcome === 1 || outcome === "gone");
      if (random() < 0.5) controller.abort("gone");
      else setTimeout(() => controller.abort("gone"), upTo(5));
      return ended;
    }],
    [20, () => {
      const open = call.listening(upTo(20));
      const tell = random() < 0.5 ? (): void => open.reject("rejected") : (): void => open.reject();
      setTimeout(tell, upTo(10));
      const outcomes = new Set<unknown>(["rejected", "heard", "not aborted"]);
      return expect("listening", open, (outcome) => outcomes.has(outcome) || (outcome as { code?: string }).code === "KNT_ABORT_SLOTS");
    }],
    [1, () => {
      deaths++;
      return expect("killing", call.killing(), () => false);
    }],
  ];
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0);
  const next = (): Promise<void> => {
    let at = upTo(total);
    for (const [weight, make] of kinds) if ((at -= weight) < 0) return make();
    throw new Error("the weights do not add up");
  };

  try {
    const begun = performance.now();
    const elapsed = (): number => (performance.now() - begun) / 1000;
    let middle = 0;
    while (elapsed() < seconds && failure === null) {
      await Promise.all(Array.from({ length: 1 + upTo(300) }, next));
      if (middle === 0 && elapsed() > seconds / 2) middle = process.memoryUsage().rss;
    }
    if (failure !== null) throw failure;
    assert.equal(settled, made);
    // Calls that were given up may still run; then nothing is left.
    const deadline = performance.now() + 30_000;
    for (let { queued, running } = pool.stats(); queued + running > 0; { queued, running } = pool.stats()) {
      assert.ok(performance.now() < deadline, `${queued} queued, ${running} running at the end`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const all = await Promise.allSettled(Array.from({ length: 64 }, () => call.listening(1)));
    assert.ok(all.every(({ status }) => status === "fulfilled"), "every abort slot is free at the end");
    return { calls: made, deaths, growth: middle === 0 ? 0 : process.memoryUsage().rss - middle };
  } finally {
    await pool.shutdown();
  }
}
