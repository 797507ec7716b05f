// Measurements that a process of its own makes: start-up, CPU while nothing happens, memory.
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Runtime } from "../adapters/runtime.ts";
import { load, type ContestantName } from "../contestants/contestant.ts";
import type { Bench, Samples, Workload } from "../harness/bench.ts";
import { runChild, type Child, type Figures } from "../harness/child.ts";

const MI = 1024 * 1024;
const IDLE_MS = 2000;

/** From starting a pool (or a worker) of one to its first answer. */
const startup: Child = async (runtime, name) => {
  const start = await load(name);
  const before = performance.now();
  const contestant = start(runtime, 1);
  await contestant.empty();
  const ms = performance.now() - before;
  await contestant.close();
  return { ms };
};

/** Milliseconds of CPU per second of a process whose workers have nothing to do. */
const idle: Child = async (runtime, name, workers) => {
  const contestant = (await load(name))(runtime, workers);
  await contestant.emptyBatch(400);
  await delay(700);
  const before = process.cpuUsage();
  const start = performance.now();
  await delay(IDLE_MS);
  const rate = cpuPerSecond(before, start);
  await contestant.close();
  return { rate };
};

/** Milliseconds of CPU per second of a process whose one worker sleeps inside one call of 2 s. */
const waiting: Child = async (runtime, name) => {
  const contestant = (await load(name))(runtime, 1);
  await contestant.emptyBatch(400);
  await delay(700);
  const before = process.cpuUsage();
  const start = performance.now();
  await contestant.sleep(IDLE_MS);
  const rate = cpuPerSecond(before, start);
  await contestant.close();
  return { rate };
};

function cpuPerSecond(before: NodeJS.CpuUsage, start: number): number {
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - start) / 1000;
  return (user + system) / 1000 / seconds;
}

/** Resident memory and address space once every worker has worked and gone quiet, in MiB. */
const memory: Child = async (runtime, name, workers) => {
  const contestant = (await load(name))(runtime, workers);
  for (let i = 0; i < 5; i++) await contestant.emptyBatch(100 * workers);
  await delay(300);
  runtime.collect();
  await delay(200);
  const figures: Figures = { rss: process.memoryUsage.rss() / MI };
  if (process.platform === "linux") {
    const status = readFileSync("/proc/self/status", "utf8");
    figures["virtual"] = Number(/^VmSize:\s+(\d+) kB$/m.exec(status)![1]) / 1024;
  }
  await contestant.close();
  return figures;
};

/** Bytes by which the process grew, per call, at the moment when `n` calls had been made and none had been answered. */
const inFlight: Child = async (runtime, name, n) => {
  const contestant = (await load(name))(runtime, 1);
  for (let i = 0; i < 20; i++) await contestant.emptyBatch(1000);
  runtime.collect();
  const before = process.memoryUsage.rss();
  const all = contestant.emptyBatch(n);
  const bytes = (process.memoryUsage.rss() - before) / n;
  await all;
  await contestant.close();
  return { bytes };
};

const CHILDREN: Record<string, Child> = { startup, idle, waiting, memory, "in-flight": inFlight };

/** The child's side: measures and prints. */
export async function childMain(runtime: Runtime, args: readonly string[]): Promise<void> {
  const [what, name, argument] = args;
  const child = CHILDREN[what ?? ""];
  if (child === undefined) throw new Error(`no measurement "${what}"`);
  const figures = await child(runtime, name as ContestantName, Number(argument));
  console.log(JSON.stringify(figures));
}

/** Runs the same child for every contestant in turn; one list of samples per figure that the children report. */
async function gather(
  bench: Bench,
  what: string,
  names: readonly ContestantName[],
  argument: number,
  rounds: number,
): Promise<(figure: string) => Samples> {
  const results = new Map<ContestantName, Figures[]>(bench.present(names).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of [...results.keys()]) {
      try {
        results.get(name)!.push(await runChild(bench.runtime, what, name, argument));
      } catch (error) {
        results.delete(name);
        bench.problem(`${what} ${argument}`, name, error);
      }
    }
  }
  return (figure) =>
    new Map([...results].map(([name, list]) => [name, list.map((one) => one[figure]).filter((value) => value !== undefined)]));
}

const ALL: readonly ContestantName[] = ["knit", "post", "piscina"];

export const startupWorkload: Workload = {
  name: "startup",
  async run(bench) {
    const rounds = bench.rounds(7, 21);
    const figures = await gather(bench, "startup", ALL, 1, rounds);
    bench.add(
      { id: "startup", title: "start to first answer", unit: "ms", rounds, goal: { kind: "timesPost", limit: 1.5 } },
      figures("ms"),
    );
  },
};

export const idleWorkload: Workload = {
  name: "idle",
  async run(bench) {
    const rounds = bench.rounds(2, 7);
    const goal = { kind: "atMost", limit: 1 } as const;
    const idling = await gather(bench, "idle", ALL, 4, rounds);
    bench.add({ id: "idle", title: "CPU of an idle pool, 4 workers", unit: "ms/s", rounds, goal }, idling("rate"));
    const sleeping = await gather(bench, "waiting", ALL, 1, rounds);
    bench.add({ id: "waiting", title: "CPU while one call takes 2 s", unit: "ms/s", rounds, goal }, sleeping("rate"));
  },
};

export const memoryWorkload: Workload = {
  name: "memory",
  async run(bench) {
    const rounds = bench.rounds(3, 9);
    const [few, many] = [1, 5];
    const one = await gather(bench, "memory", ALL, few, rounds);
    const five = await gather(bench, "memory", ALL, many, rounds);
    // Processes of one round have nothing in common: the smallest is set against the smallest, and so on.
    const perWorker = (figure: string): Samples => {
      const lower = one(figure);
      return new Map(
        [...five(figure)].map(([name, values]) => {
          const base = [...(lower.get(name) ?? [])].sort((a, b) => a - b);
          const top = [...values].sort((a, b) => a - b);
          return [name, base.length === top.length ? top.map((value, i) => (value - base[i]!) / (many - few)) : []];
        }),
      );
    };
    bench.add(
      { id: "memory.rss", title: "resident memory per added worker", unit: "MiB", rounds, goal: { kind: "overPost", limit: 2 } },
      perWorker("rss"),
    );
    bench.add({ id: "memory.base", title: "resident memory, 1 worker", unit: "MiB", rounds }, one("rss"));
    bench.add(
      {
        id: "memory.virtual",
        title: "address space, 5 workers",
        unit: "MiB",
        rounds,
        goal: { kind: "overPost", limit: 1024 },
      },
      five("virtual"),
    );
    for (const n of bench.options.quick ? [100_000] : [100_000, 1_000_000]) {
      const names = ALL.filter((name) => name !== "piscina");
      const flying = await gather(bench, "in-flight", names, n, rounds);
      bench.add(
        { id: `memory.in-flight.${n}`, title: `memory per call in flight, ${n}`, unit: "B", rounds },
        flying("bytes"),
      );
    }
  },
};
