// What a run leaves: a table for people, a JSON file for programs.
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg } from "node:os";
import { dirname } from "node:path";
import type { Bench, Row } from "./bench.ts";
import { judge, type Column } from "./goals.ts";

const COLUMNS: readonly Column[] = ["knit", "thread", "floor", "post", "piscina"];

export function number(value: number | undefined): string {
  if (value === undefined) return "-";
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(0);
  if (size >= 100) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return value.toFixed(3);
}

export const verdict = (met: boolean | undefined, goal: string): string => (goal === "" ? "" : met === undefined ? "?" : met ? "yes" : "NO");

function cells(row: Row): string[] {
  const { ratio, goal, met } = judge(row.figures, row.goal, row.unit);
  return [row.title, row.unit, ...COLUMNS.map((name) => number(row.figures[name])), ratio, goal, verdict(met, goal), String(row.rounds)];
}

/** Lines under each other, columns aligned: those that `isFigure` names at the right. */
export function align(head: readonly string[], body: readonly (readonly string[])[], isFigure: (column: number) => boolean): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((line) => line[i]!.length)));
  const line = (texts: readonly string[]): string =>
    texts.map((text, i) => (isFigure(i) ? text.padStart(widths[i]!) : text.padEnd(widths[i]!))).join("  ").trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...body.map(line)];
}

/** The table of one runtime, with everybody's figures. */
export function table(rows: readonly Row[]): string[] {
  const head = ["workload", "unit", ...COLUMNS, "ratio", "goal", "met?", "rounds"];
  return align(head, rows.map(cells), (column) => column >= 2 && column < 2 + COLUMNS.length);
}

/** Runnable threads of the whole machine, over the last minute; 0 where the system does not tell. */
export const load = (): number => loadavg()[0] ?? 0;

/** What a run's file holds. */
export interface Report {
  readonly runtime: string;
  readonly version: string;
  readonly platform: string;
  readonly cores: number;
  readonly cpu: string;
  readonly loadBefore: number;
  readonly date: string;
  readonly pace: string;
  readonly seconds: number;
  readonly problems: readonly string[];
  readonly rows: readonly Row[];
}

/** Writes everything that the table was made from. */
export async function writeJson(file: string, bench: Bench, seconds: number, loadBefore: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const report: Report = {
    runtime: bench.runtime.name,
    version: bench.runtime.version,
    platform: `${process.platform}-${process.arch}`,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? "unknown",
    loadBefore,
    date: new Date().toISOString(),
    pace: bench.options.pace,
    seconds: Math.round(seconds),
    problems: bench.problems,
    rows: bench.rows,
  };
  await writeFile(file, JSON.stringify(report, null, 1) + "\n");
}
