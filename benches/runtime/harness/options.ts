// The command line.
import { parseArgs } from "node:util";
import type { ContestantName } from "../contestants/contestant.ts";

/**
 * `full` takes a quarter of an hour, `quick` a minute with fewer rounds and without Piscina. `check` only sees that every row
 * yields a figure, which then means nothing.
 */
export type Pace = "full" | "quick" | "check";

export interface Options {
  readonly pace: Pace;
  /** Where the raw figures go; by default `target/bench/<runtime>.json`. */
  readonly json: string | undefined;
  /** Only the raw figures: the table is somebody else's. */
  readonly silent: boolean;
  /** Names of the workloads to run; all when empty. */
  readonly only: readonly string[];
  /** Contestants to leave out. */
  readonly without: readonly ContestantName[];
  /** Set in a child: the isolated measurement to make, and its arguments. */
  readonly child: readonly string[];
}

export const USAGE = `usage: main.ts [--quick | --check] [--json <file>] [--silent] [--only <workload,...>] [--without <contestant,...>]`;

const list = (values: readonly string[] | undefined): string[] =>
  (values ?? []).flatMap((value) => value.split(",")).map((value) => value.trim()).filter((value) => value !== "");

const CONTESTANTS: readonly string[] = ["knit", "process", "floor", "post", "piscina"] satisfies ContestantName[];

/** Reads the command line; throws an error that tells what is wrong with it. */
export function parse(args: string[], workloads: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      json: { type: "string" },
      silent: { type: "boolean", default: false },
      only: { type: "string", multiple: true },
      without: { type: "string", multiple: true },
      child: { type: "boolean", default: false },
    },
  });
  if (!values.child && positionals.length > 0) throw new Error(`unexpected "${positionals[0]}"; ${USAGE}`);
  const only = list(values.only);
  const without = list(values.without);
  for (const name of only) {
    if (!workloads.includes(name)) throw new Error(`no workload "${name}"; there are ${workloads.join(", ")}`);
  }
  for (const name of without) {
    if (!CONTESTANTS.includes(name)) throw new Error(`no contestant "${name}"; there are ${CONTESTANTS.join(", ")}`);
  }
  return {
    pace: values.check ? "check" : values.quick ? "quick" : "full",
    json: values.json,
    silent: values.silent,
    only,
    without: without as ContestantName[],
    child: values.child ? positionals : [],
  };
}
