// The runtime benches: the pool against bare workers, Piscina and the floor, in one run on one machine.
//
//     node benches/runtime/main.ts [--quick | --check] [--json <file>] [--silent] [--only <workload,...>] [--without <contestant,...>]
//
// See ../README.md for what is measured and how to read it. `compare.ts` puts the files of several runtimes into one table.
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { currentRuntime } from "./adapters/runtime.ts";
import { Bench, within, type Workload } from "./harness/bench.ts";
import { parse } from "./harness/options.ts";
import { load, table, writeJson } from "./harness/report.ts";
import { workload as batch } from "./workloads/batch.ts";
import { workload as beside } from "./workloads/beside.ts";
import { workload as cores } from "./workloads/cores.ts";
import { childMain, idleWorkload, memoryWorkload, startupWorkload } from "./workloads/isolated.ts";
import { workload as lateness } from "./workloads/lateness.ts";
import { workload as oneByOne } from "./workloads/one-by-one.ts";
import { workload as payloads } from "./workloads/payloads.ts";
import { workload as quiet } from "./workloads/quiet.ts";
import { workload as sleepers } from "./workloads/sleepers.ts";
import { workload as unsettled } from "./workloads/unsettled.ts";

const WORKLOADS: readonly Workload[] = [
  oneByOne,
  batch,
  quiet,
  lateness,
  idleWorkload,
  cores,
  beside,
  sleepers,
  unsettled,
  startupWorkload,
  memoryWorkload,
  payloads,
];

/** No workload takes this long, unless something hangs. */
const WORKLOAD_DEADLINE_MS = 15 * 60_000;

/** A load from which on other programs disturb what is measured. */
const BUSY = 0.7;

async function main(): Promise<number> {
  const options = parse(
    process.argv.slice(2),
    WORKLOADS.map((workload) => workload.name),
  );
  const runtime = await currentRuntime();
  if (options.child.length > 0) {
    await childMain(runtime, options.child);
    return 0;
  }
  const bench = new Bench(runtime, options);
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  const loadBefore = load();
  console.error(`${runtime.name} ${runtime.version}, ${availableParallelism()} cores, load ${loadBefore.toFixed(2)}`);
  for (const workload of WORKLOADS) {
    if (options.only.length > 0 && !options.only.includes(workload.name)) continue;
    const before = seconds();
    try {
      await within(WORKLOAD_DEADLINE_MS, workload.run(bench));
    } catch (error) {
      bench.problem(workload.name, "workload", error);
    }
    console.error(`${workload.name}: ${(seconds() - before).toFixed(1)} s`);
  }
  for (const title of bench.missing) bench.problem(title, "knit", "no figure");
  if (!options.silent) for (const line of table(bench.rows)) console.log(line);
  const json =
    options.json ?? fileURLToPath(new URL(`../../target/bench/${runtime.name}.json`, import.meta.url));
  await writeJson(json, bench, seconds(), loadBefore);
  if (options.silent) return bench.problems.length === 0 ? 0 : 1;
  console.log(`\n${seconds().toFixed(0)} s; raw figures in ${json}`);
  if (loadBefore > BUSY) console.log(`the machine was busy (load ${loadBefore.toFixed(2)}): compare with care, and not with post`);
  for (const problem of bench.problems) console.log(`problem: ${problem}`);
  return bench.problems.length === 0 ? 0 : 1;
}

try {
  process.exit(await main());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(2);
}
