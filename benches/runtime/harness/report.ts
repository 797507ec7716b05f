// What a run leaves: a table for people, a JSON file for programs.
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg } from "node:os";
import { dirname } from "node:path";
import type { ContestantName } from "../contestants/contestant.ts";
import type { Bench, Row } from "./bench.ts";
import { judge } from "./goals.ts";

const COLUMNS: readonly ContestantName[] = ["knit", "floor", "post", "piscina"];

function number(value: number | undefined): string {
  if (value === undefined) return "-";
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(0);
  if (size >= 100) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return value.toFixed(3);
}

function cells(row: Row): string[] {
  const { ratio, goal, met } = judge(row.figures, row.goal, row.unit);
  return [
    row.title,
    row.unit,
    ...COLUMNS.map((name) => number(row.figures[name])),
    ratio,
    goal,
    goal === "" ? "" : met === undefined ? "?" : met ? "yes" : "NO",
    String(row.rounds),
  ];
}

/** The table, as lines. The first column and the words are aligned left, figures right. */
export function table(rows: readonly Row[]): string[] {
  const head = ["workload", "unit", ...COLUMNS, "ratio", "goal", "met?", "rounds"];
  const body = rows.map(cells);
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((line) => line[i]!.length)));
  const figure = (i: number): boolean => i >= 2 && i < 2 + COLUMNS.length;
  const line = (texts: string[]): string =>
    texts.map((text, i) => (figure(i) ? text.padStart(widths[i]!) : text.padEnd(widths[i]!))).join("  ").trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...body.map(line)];
}

/** Runnable threads of the whole machine, over the last minute; 0 where the system does not tell. */
export const load = (): number => loadavg()[0] ?? 0;

/** Writes everything that the table was made from. */
export async function writeJson(file: string, bench: Bench, seconds: number, loadBefore: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const report = {
    runtime: bench.runtime.name,
    version: bench.runtime.version,
    platform: `${process.platform}-${process.arch}`,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? "unknown",
    loadBefore,
    date: new Date().toISOString(),
    quick: bench.options.quick,
    seconds: Math.round(seconds),
    problems: bench.problems,
    rows: bench.rows.map((row) => ({ ...row, judgement: judge(row.figures, row.goal, row.unit) })),
  };
  await writeFile(file, JSON.stringify(report, null, 1) + "\n");
}
