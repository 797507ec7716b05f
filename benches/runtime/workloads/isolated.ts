// Measurements that a process of its own makes: start-up, CPU while nothing happens, memory.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../adapters/runtime.ts";
import { load, type Contestant, type ContestantName } from "../contestants/contestant.ts";
import type { Bench, Samples, Workload } from "../harness/bench.ts";
import { runChild, type Child, type Figures } from "../harness/child.ts";
import type { Pace } from "../harness/options.ts";
import { median } from "../harness/stats.ts";

const MI = 1024 * 1024;
/** How long a process is watched that does nothing. */
const IDLE_MS: Record<Pace, number> = { full: 2000, quick: 1000, check: 300 };

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

/** From starting a process that prints one line to that line. */
const spawnOne: Child = async (runtime) => {
  const script = fileURLToPath(new URL("../workers/one-line.js", import.meta.url));
  const before = performance.now();
  const child = spawn(process.execPath, [...runtime.childFlags, script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const ms = performance.now() - before;
  if (line.toString().trim() !== "here") throw new Error(`a bare process printed ${line}`);
  await once(child, "close");
  return { ms };
};

/**
 * How much longer a worker process takes from its pool's start to the first answer with the default permissions than with none. Pools take turns, which of a
 * pair is first alternates; one of each kind was started before, so that the plan is made.
 */
const sandbox: Child = async (runtime, _, pairs) => {
  const start = await load("process");
  const started = async (permission: "strict" | "unsafe"): Promise<number> => {
    const before = performance.now();
    const contestant = start(runtime, 1, permission);
    await contestant.empty();
    const ms = performance.now() - before;
    await contestant.close();
    return ms;
  };
  await started("unsafe");
  await started("strict");
  const more: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const first = pair % 2 === 0 ? "strict" : "unsafe";
    const ms = { strict: 0, unsafe: 0 };
    for (const permission of [first, first === "strict" ? "unsafe" : "strict"] as const) ms[permission] = await started(permission);
    more.push(ms.strict - ms.unsafe);
  }
  return { more: median(more) };
};

/** Milliseconds of CPU per second of a process whose four workers have nothing to do, and of the workers if they are processes. */
const idle: Child = async (runtime, name, ms) => {
  const contestant = (await load(name))(runtime, 4);
  const rate = await cpuPerSecond(contestant, () => delay(ms));
  await contestant.close();
  return { rate };
};

/** The same while one worker sleeps inside one long call. */
const waiting: Child = async (runtime, name, ms) => {
  const contestant = (await load(name))(runtime, 1);
  const rate = await cpuPerSecond(contestant, () => contestant.sleep(ms));
  await contestant.close();
  return { rate };
};

/** Until then engines collect what their start has left: Bun for two seconds, with bare workers too. */
const QUIET_MS = 3000;

async function cpuPerSecond(contestant: Contestant, body: () => Promise<unknown>): Promise<number> {
  await contestant.emptyBatch(400);
  await delay(QUIET_MS);
  const children = cpuOfChildren();
  const before = process.cpuUsage();
  const start = performance.now();
  await body();
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - start) / 1000;
  return ((user + system) / 1000 + cpuOfChildren() - children) / seconds;
}

/** Milliseconds of CPU that child processes have used so far, all threads of each. Only Linux tells. */
function cpuOfChildren(): number {
  if (process.platform !== "linux") return 0;
  let nanoseconds = 0;
  for (const thread of readdirSync("/proc/self/task")) {
    for (const child of readFileSync(`/proc/self/task/${thread}/children`, "utf8").split(" ").filter(Boolean)) {
      for (const task of readdirSync(`/proc/${child}/task`)) {
        nanoseconds += Number(readFileSync(`/proc/${child}/task/${task}/schedstat`, "utf8").split(" ")[0]);
      }
    }
  }
  return nanoseconds / 1e6;
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

const CHILDREN: Record<string, Child> = { startup, spawn: spawnOne, sandbox, idle, waiting, memory, "in-flight": inFlight };

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
    const rounds = bench.rounds(5, 21);
    const figures = await gather(bench, "startup", ALL, 1, rounds);
    bench.add(
      { id: "startup", title: "start to first answer", unit: "ms", rounds, goal: { kind: "timesPost", limit: 1.5 } },
      figures("ms"),
    );
    const pools = (await gather(bench, "startup", ["process"], 1, rounds))("ms").get("process");
    // What is bare is called `post`.
    const spawned = (await gather(bench, "spawn", ["post"], 1, rounds))("ms").get("post");
    const [pairs, turns] = [bench.rounds(8, 16), bench.rounds(1, 3)];
    const sandboxed = (await gather(bench, "sandbox", ["process"], pairs, turns))("more").get("process");
    if (sandboxed !== undefined) {
      const title = "start to first answer, more with permissions than without; processes";
      bench.add({ id: "startup.sandbox", title, unit: "ms", rounds: pairs * turns, goal: { kind: "atMost", limit: 5 } }, new Map([["knit", sandboxed]]));
    }
    if (pools === undefined || spawned === undefined) return;
    const value = median(spawned);
    bench.add(
      { id: "startup.process", title: "start to first answer; processes", unit: "ms", rounds, goal: { kind: "timesOther", other: "spawn", value, limit: 1.3 } },
      new Map([["knit", pools]]),
    );
  },
};

export const idleWorkload: Workload = {
  name: "idle",
  async run(bench) {
    const rounds = bench.rounds(1, 7);
    const ms = IDLE_MS[bench.options.pace];
    for (const [what, title] of [["idle", "CPU of an idle pool, 4 workers"], ["waiting", "CPU while one call takes long"]] as const) {
      const rate = (await gather(bench, what, [...ALL, "process"], ms, rounds))("rate");
      const processes = rate.get("process");
      rate.delete("process");
      const row = { id: what, title, unit: "ms/s", rounds, goal: { kind: "atMost", limit: 1 } } as const;
      bench.add(row, rate);
      if (processes !== undefined) bench.add({ ...row, id: `${what}.process`, title: `${title}; processes` }, new Map([["knit", processes]]));
    }
  },
};

export const memoryWorkload: Workload = {
  name: "memory",
  async run(bench) {
    const rounds = bench.rounds(2, 9);
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
    for (const n of bench.options.pace !== "full" ? [100_000] : [100_000, 1_000_000]) {
      const names = ALL.filter((name) => name !== "piscina");
      const flying = await gather(bench, "in-flight", names, n, rounds);
      bench.add(
        { id: `memory.in-flight.${n}`, title: `memory per call in flight, ${n}`, unit: "B", rounds },
        flying("bytes"),
      );
    }
  },
};
