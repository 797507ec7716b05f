// The goals of the design, and whether a row of figures meets its own. A goal is information: it never fails a run.
import type { ContestantName } from "../contestants/contestant.ts";

export type Goal =
  /** knit <= limit, in the row's unit. */
  | { readonly kind: "atMost"; readonly limit: number }
  /** knit / floor <= limit. */
  | { readonly kind: "timesFloor"; readonly limit: number }
  /** knit / post <= limit. */
  | { readonly kind: "timesPost"; readonly limit: number }
  /** post / knit >= limit. */
  | { readonly kind: "partOfPost"; readonly limit: number }
  /** knit - post <= limit, in the row's unit. */
  | { readonly kind: "overPost"; readonly limit: number }
  /** knit / thread <= limit: process workers against thread workers. */
  | { readonly kind: "timesThread"; readonly limit: number }
  /** knit / another figure of the same run <= limit. */
  | { readonly kind: "timesOther"; readonly other: string; readonly value: number; readonly limit: number };

/** Who a row has figures of. In rows about process workers they are `knit`, and the same with threads is `thread`. */
export type Column = Exclude<ContestantName, "process"> | "thread";

export type Figures = Partial<Record<Column, number>>;

export interface Judgement {
  /** The ratio or difference that the goal is about, as text: as the goal's own, so that they are compared at a glance. */
  readonly ratio: string;
  readonly goal: string;
  /** Undefined when there is no goal, or a figure that it needs is missing. */
  readonly met: boolean | undefined;
}

const digits = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

function times(left: number | undefined, right: number | undefined, name: string, limit: number): Judgement {
  const goal = `${limit} x ${name}`;
  if (left === undefined || right === undefined) return { ratio: "", goal, met: undefined };
  const ratio = left / right;
  return { ratio: `${digits(ratio)} x ${name}`, goal, met: ratio <= limit };
}

/** For rows whose goal is none about it: how many times faster than `post`. */
function besidePost(knit: number | undefined, post: number | undefined): string {
  return knit === undefined || post === undefined ? "" : `post / ${digits(post / knit)}`;
}

/** Compares a row's figures with its goal. */
export function judge(figures: Figures, goal: Goal | undefined, unit: string): Judgement {
  const { knit, floor, post, thread } = figures;
  switch (goal?.kind) {
    case undefined:
      return { ratio: besidePost(knit, post), goal: "", met: undefined };
    case "atMost":
      return { ratio: besidePost(knit, post), goal: `${goal.limit} ${unit}`, met: knit === undefined ? undefined : knit <= goal.limit };
    case "timesFloor":
      return times(knit, floor, "floor", goal.limit);
    case "timesPost":
      return times(knit, post, "post", goal.limit);
    case "timesThread":
      return times(knit, thread, "thread", goal.limit);
    case "timesOther":
      return times(knit, goal.value, goal.other, goal.limit);
    case "partOfPost": {
      const known = knit !== undefined && post !== undefined;
      return { ratio: besidePost(knit, post), goal: `post / ${goal.limit}`, met: known ? post / knit >= goal.limit : undefined };
    }
    case "overPost": {
      const text = `post + ${goal.limit} ${unit}`;
      if (knit === undefined || post === undefined) return { ratio: "", goal: text, met: undefined };
      return { ratio: `post + ${digits(knit - post)}`, goal: text, met: knit - post <= goal.limit };
    }
  }
}
