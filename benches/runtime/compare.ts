// The runtimes beside each other: one table from the files that runs of `main.ts` left.
//
//     node benches/runtime/compare.ts <file.json> ...
//
// A row per measurement; for each runtime the pool's figure, its ratio to what the row's goal compares it with (the floor, a bare worker with
// `postMessage`, threads: always of the same runtime and run), and whether the goal is met.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { judge } from "./harness/goals.ts";
import { align, number, verdict, type Report } from "./harness/report.ts";

/** A load from which on other programs disturb what is measured. */
const BUSY = 0.7;

interface Run {
  readonly name: string;
  readonly report: Report;
}

async function read(file: string): Promise<Run> {
  return { name: basename(file, ".json"), report: JSON.parse(await readFile(file, "utf8")) as Report };
}

/** The rows of all runs, in the order in which they first appear. */
function titles(runs: readonly Run[]): { id: string; title: string }[] {
  const seen = new Map<string, string>();
  for (const { report } of runs) for (const { id, title } of report.rows) if (!seen.has(id)) seen.set(id, title);
  return [...seen].map(([id, title]) => ({ id, title }));
}

function lines(runs: readonly Run[]): string[] {
  const head = ["workload", "unit", "goal", ...runs.flatMap(({ name }) => [name, "ratio", "met?"])];
  const body = titles(runs).map(({ id, title }) => {
    let [unit, goal] = ["", ""];
    const cells = runs.flatMap(({ report }) => {
      const row = report.rows.find((one) => one.id === id);
      if (row === undefined) return ["-", "", "?"];
      const judged = judge(row.figures, row.goal, row.unit);
      [unit, goal] = [row.unit, judged.goal];
      return [number(row.figures.knit), judged.ratio, verdict(judged.met, judged.goal)];
    });
    return [title, unit, goal, ...cells];
  });
  return align(head, body, (column) => column >= 3 && column % 3 === 0);
}

const runs = await Promise.all(process.argv.slice(2).map(read));
if (runs.length === 0) throw new Error("usage: compare.ts <file.json> ...");
for (const line of lines(runs)) console.log(line);
console.log();
for (const { name, report } of runs) {
  const judged = report.rows.map((row) => judge(row.figures, row.goal, row.unit)).filter(({ goal }) => goal !== "");
  const met = judged.filter((one) => one.met === true).length;
  console.log(`${name} (${report.version}): ${met} of ${judged.length} goals met; ${report.seconds} s on ${report.cores} cores`);
  if (report.pace === "check") console.log("  one round each: no figure means anything");
  if (report.loadBefore > BUSY) console.log(`  the machine was busy (load ${report.loadBefore.toFixed(2)}): compare with care, and not with post`);
  for (const problem of report.problems) console.log(`  problem: ${problem}`);
}
