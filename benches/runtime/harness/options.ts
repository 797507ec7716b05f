// The command line.
import { parseArgs } from "node:util";
import type { ContestantName } from "../contestants/contestant.ts";

export interface Options {
  /** Fewer rounds and smaller batches: minutes instead of a quarter of an hour. */
  readonly quick: boolean;
  /** Where the raw figures go; by default `target/bench/<runtime>.json`. */
  readonly json: string | undefined;
  /** Names of the workloads to run; all when empty. */
  readonly only: readonly string[];
  /** Contestants to leave out. */
  readonly without: readonly ContestantName[];
  /** Set in a child: the isolated measurement to make, and its arguments. */
  readonly child: readonly string[];
}

export const USAGE = `usage: main.ts [--quick] [--json <file>] [--only <workload,...>] [--without <contestant,...>]`;

const list = (values: readonly string[] | undefined): string[] =>
  (values ?? []).flatMap((value) => value.split(",")).map((value) => value.trim()).filter((value) => value !== "");

const CONTESTANTS: readonly string[] = ["knit", "floor", "post", "piscina"] satisfies ContestantName[];

/** Reads the command line; throws an error that tells what is wrong with it. */
export function parse(args: string[], workloads: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "string" },
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
    quick: values.quick,
    json: values.json,
    only,
    without: without as ContestantName[],
    child: values.child ? positionals : [],
  };
}
