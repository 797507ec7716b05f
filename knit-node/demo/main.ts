/**
 * The demo: every file of a folder, read, hashed, compressed and counted, on one thread and on all cores.
 *
 *     node demo/main.ts [folder] [--threads n]
 *
 * Both ways must come to the same results; the first difference ends the program with code 1. Without
 * a folder it takes the project itself, with its `node_modules` but without build output and history.
 * All files are read once before, so that the disk decides nothing; of more than fits into memory the
 * pool, which goes first, bears the disk.
 */
import { availableParallelism, freemem } from "node:os";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMain } from "@vixeny/knitting";
import { list, type Listing, readAhead, refusal } from "./files.ts";
import { difference, table } from "./outcome.ts";
import { type Progress, progress } from "./progress.ts";
import { onOneThread, onPool, type Run } from "./runs.ts";

interface Wanted {
  readonly folder: string;
  readonly skip: ReadonlySet<string>;
  readonly threads: number;
}

/** Reads the command line; a string is what is wrong with it. */
function wanted(args: string[]): Wanted | string {
  let parsed;
  try {
    parsed = parseArgs({ args, options: { threads: { type: "string" } }, allowPositionals: true });
  } catch (error) {
    return (error as Error).message;
  }
  const { positionals, values } = parsed;
  if (positionals.length > 1) return `one folder, not ${positionals.length}`;
  const threads = values.threads === undefined ? availableParallelism() : Number(values.threads);
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024) {
    return `--threads is a number from 1 to 1024, not ${values.threads}`;
  }
  if (positionals.length === 1) return { folder: resolve(positionals[0]), skip: new Set(), threads };
  const project = fileURLToPath(new URL("../..", import.meta.url));
  return { folder: project, skip: new Set([".git", "target"]), threads };
}

/** Runs one way with its progress on display; the display ends also when the run fails. */
async function shown(label: string, listing: Listing, run: (progress: Progress) => Run | Promise<Run>): Promise<Run> {
  const display = progress(label, listing.bytes);
  try {
    return await run(display);
  } finally {
    display.end();
  }
}

async function main(): Promise<number> {
  const asked = wanted(process.argv.slice(2));
  const wrong = typeof asked === "string" ? asked : refusal(asked.folder);
  if (typeof asked === "string" || wrong !== undefined) {
    console.error(`error: ${wrong}\nusage: main.ts [folder] [--threads n]`);
    return 2;
  }
  const { folder, skip, threads } = asked;
  const listing = list(folder, skip);
  console.log(`${folder}: ${listing.files.length} files, ${(listing.bytes / 2 ** 20).toFixed(1)} MiB`);
  if (listing.files.length === 0) {
    console.log("nothing to do");
    return 0;
  }
  if (listing.bytes < freemem() / 2) readAhead(listing.files);
  else console.log("more than memory holds: the times include the disk's");
  const many = await shown("pool      ", listing, (progress) => onPool(folder, listing.files, threads, progress));
  const one = await shown("one thread", listing, (progress) => onOneThread(listing.files, progress));
  const different = difference(listing, one, many);
  if (different !== undefined) {
    console.error(`error: the two ways differ (is something writing to the folder?)\n${different}`);
    return 1;
  }
  console.log(`\n${table(listing, one, many, threads)}`);
  return 0;
}

if (isMain) process.exitCode = await main();
