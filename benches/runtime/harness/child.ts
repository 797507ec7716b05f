// Measurements that need a process of their own: start-up, memory, the CPU of a process that does nothing else.
//
// The parent runs `main.ts --child <what> <contestant> <number>` and reads one line of JSON from it.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Runtime } from "../adapters/runtime.ts";
import type { ContestantName } from "../contestants/contestant.ts";

const CHILD_DEADLINE_MS = 120_000;

/** Figures of one child. */
export type Figures = Record<string, number>;

/** What a child does with its arguments. */
export type Child = (runtime: Runtime, name: ContestantName, argument: number) => Promise<Figures>;

/** Runs a child and returns what it measured. */
export async function runChild(
  runtime: Runtime,
  what: string,
  name: ContestantName,
  argument: number,
): Promise<Figures> {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  const args = [...runtime.childFlags, main, "--child", what, name, String(argument)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: CHILD_DEADLINE_MS });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Figures;
}
