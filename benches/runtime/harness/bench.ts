// One run: which contestants take part, how they take turns, what came out.
//
// Contestants take turns within every round, in an order that rotates, so that a machine that grows slower or faster hits all
// of them alike. A contestant that throws or hangs leaves the workload with a note; the others go on.
import { setTimeout as delay } from "node:timers/promises";
import type { Runtime } from "../adapters/runtime.ts";
import { open, type Contestant, type ContestantName } from "../contestants/contestant.ts";
import type { Column, Figures, Goal } from "./goals.ts";
import type { Options } from "./options.ts";
import { keep, median } from "./stats.ts";

/** No single sample takes this long, unless something hangs. */
const SAMPLE_DEADLINE_MS = 60_000;
/** Between two turns: whoever just ran goes to sleep. */
const SETTLE_MS = 3;
/** How much slower process workers may be than threads; rows about the slowest of many calls allow a little more. */
const PROCESS_LIMIT = 1.2;
export const PROCESS_LIMIT_P99 = 1.3;

export interface Row {
  /** Stable name in the JSON, e.g. `batch.1000.perCall`. */
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly figures: Figures;
  readonly rounds: number;
  readonly goal?: Goal | undefined;
  readonly raw?: Record<string, unknown>;
}

/** A row to be made of samples. */
export interface RowOf extends Omit<Row, "figures" | "raw"> {
  /** Goal of process workers, as a multiple of thread workers; `null` for no row of theirs. */
  readonly processLimit?: number | null;
}

export interface Workload {
  readonly name: string;
  run(bench: Bench): Promise<void>;
}

/** What each contestant's turns returned, in order. */
export type Samples = Map<ContestantName, number[]>;

export class Bench {
  readonly runtime: Runtime;
  readonly options: Options;
  readonly rows: Row[] = [];
  readonly problems: string[] = [];

  constructor(runtime: Runtime, options: Options) {
    this.runtime = runtime;
    this.options = options;
  }

  /** The first number in a quick run, the second in a full one; one where figures do not matter. */
  rounds(quick: number, full: number): number {
    switch (this.options.pace) {
      case "full":
        return full;
      case "quick":
        return quick;
      case "check":
        return 1;
    }
  }

  /** Those of the named contestants that take part here. */
  present(names: readonly ContestantName[]): ContestantName[] {
    const piscina = this.runtime.hasPiscina && this.options.pace === "full";
    return names.filter((name) => !this.options.without.includes(name) && (name !== "piscina" || piscina));
  }

  problem(where: string, name: string, error: unknown): void {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.problems.push(`${where}: ${name}: ${text}`);
    console.error(`! ${where}: ${name}: ${text}`);
  }

  /** Starts contestants, hands them over once each has answered, and closes them whatever happens. */
  async withContestants(
    where: string,
    names: readonly ContestantName[],
    workers: number,
    body: (contestants: Contestant[]) => Promise<void>,
  ): Promise<void> {
    const opened: Contestant[] = [];
    try {
      for (const name of this.present(names)) {
        try {
          const contestant = await open(name, this.runtime, workers);
          opened.push(contestant);
          await within(SAMPLE_DEADLINE_MS, contestant.empty());
        } catch (error) {
          this.problem(where, name, error);
        }
      }
      await body(opened.filter((contestant) => !this.#failed(where, contestant.name)));
    } finally {
      for (const contestant of opened) {
        try {
          await within(SAMPLE_DEADLINE_MS, contestant.close());
        } catch (error) {
          this.problem(where, `${contestant.name} while closing`, error);
        }
      }
    }
  }

  #failed(where: string, name: ContestantName): boolean {
    return this.problems.some((problem) => problem.startsWith(`${where}: ${name}:`));
  }

  /** `rounds` turns of every contestant. */
  async interleave(
    where: string,
    contestants: readonly Contestant[],
    rounds: number,
    turn: (contestant: Contestant) => Promise<number | number[]>,
  ): Promise<Samples> {
    const samples: Samples = new Map(contestants.map((contestant) => [contestant.name, []]));
    const left = [...contestants];
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < left.length; i++) {
        const contestant = left[(i + round) % left.length]!;
        if (!samples.has(contestant.name)) continue;
        try {
          await delay(SETTLE_MS);
          const result = await within(SAMPLE_DEADLINE_MS, turn(contestant));
          if (typeof result === "number") samples.get(contestant.name)!.push(result);
          else for (const value of result) samples.get(contestant.name)!.push(value);
        } catch (error) {
          samples.delete(contestant.name);
          this.problem(where, contestant.name, error);
        }
      }
    }
    return samples;
  }

  /**
   * Adds a row whose figures are one quantile of each contestant's samples; the median unless told. If process workers took part,
   * a second row sets them against threads.
   */
  add({ processLimit = PROCESS_LIMIT, ...row }: RowOf, samples: Samples, figure: (values: number[]) => number = median): void {
    const figures: Figures = {};
    const raw: Record<string, unknown> = {};
    let ofProcess: number | undefined;
    for (const [name, values] of samples) {
      if (values.length === 0) continue;
      if (name === "process") ofProcess = figure(values);
      else figures[name] = figure(values);
      raw[name] = keep(values);
    }
    this.rows.push({ ...row, figures, raw });
    if (ofProcess === undefined || processLimit === null) return;
    this.rows.push({
      ...row,
      id: `${row.id}.process`,
      title: `${row.title}; processes`,
      goal: { kind: "timesThread", limit: processLimit },
      figures: { knit: ofProcess, ...(figures.knit === undefined ? {} : { thread: figures.knit }) },
    });
  }

  /** A figure of an earlier row, for goals that compare with it. */
  figure(id: string, name: Column): number | undefined {
    return this.rows.find((row) => row.id === id)?.figures[name];
  }

  /** Rows in which the pool has no figure. */
  get missing(): string[] {
    return this.rows.filter(({ figures }) => !Number.isFinite(figures.knit)).map((row) => row.title);
  }
}

/** The promise's result, or an error when it takes too long. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
