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
  /** knit / another figure of the same run <= limit. */
  | { readonly kind: "timesOther"; readonly other: string; readonly value: number; readonly limit: number };

export type Figures = Partial<Record<ContestantName, number>>;

export interface Judgement {
  /** The ratio or difference that the goal is about, as text. */
  readonly ratio: string;
  readonly goal: string;
  /** Undefined when a figure that the goal needs is missing. */
  readonly met: boolean | undefined;
}

const digits = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

function compare(text: string, left: number | undefined, right: number | undefined, goal: string, limit: number): Judgement {
  if (left === undefined || right === undefined) return { ratio: "", goal, met: undefined };
  const ratio = left / right;
  return { ratio: `${text} ${digits(ratio)}`, goal, met: ratio <= limit };
}

/** Compares a row's figures with its goal. */
export function judge(figures: Figures, goal: Goal | undefined, unit: string): Judgement {
  const { knit, floor, post } = figures;
  switch (goal?.kind) {
    case undefined:
      if (knit === undefined || post === undefined) return { ratio: "", goal: "", met: undefined };
      return { ratio: `post/knit ${digits(post / knit)}`, goal: "", met: undefined };
    case "atMost":
      return {
        ratio: "",
        goal: `<= ${goal.limit} ${unit}`,
        met: knit === undefined ? undefined : knit <= goal.limit,
      };
    case "timesFloor":
      return compare("knit/floor", knit, floor, `<= ${goal.limit} x floor`, goal.limit);
    case "timesPost":
      return compare("knit/post", knit, post, `<= ${goal.limit} x post`, goal.limit);
    case "partOfPost": {
      const text = `post / ${goal.limit}`;
      if (knit === undefined || post === undefined) return { ratio: "", goal: text, met: undefined };
      return { ratio: `post/knit ${digits(post / knit)}`, goal: text, met: post / knit >= goal.limit };
    }
    case "overPost": {
      const text = `<= post + ${goal.limit} ${unit}`;
      if (knit === undefined || post === undefined) return { ratio: "", goal: text, met: undefined };
      return { ratio: `knit-post ${digits(knit - post)}`, goal: text, met: knit - post <= goal.limit };
    }
    case "timesOther":
      return compare(`knit/${goal.other}`, knit, goal.value, `<= ${goal.limit} x ${goal.other}`, goal.limit);
  }
}
