/** Comparing two runs, and the table at the end. */
import type { Digest, Unreadable } from "./examine.ts";
import type { Listing } from "./files.ts";
import type { Run } from "./runs.ts";

/** The first difference between two runs, as a sentence, or nothing. */
export function difference(listing: Listing, one: Run, many: Run): string | undefined {
  for (const [index, { path }] of listing.files.entries()) {
    const [a, b] = [describe(one.results[index]), describe(many.results[index])];
    if (a !== b) return `${path}\n  on one thread: ${a}\n  on the pool:   ${b}`;
  }
  return undefined;
}

function describe(result: Digest | Unreadable): string {
  if ("unreadable" in result) return `unreadable, ${result.unreadable}`;
  return `${result.bytes} bytes, ${result.compressed} compressed, ${result.words} words, sha256 ${result.hash}`;
}

/** The table of a pair of runs with equal results. */
export function table(listing: Listing, one: Run, many: Run, threads: number): string {
  const digests = one.results.filter((result): result is Digest => !("unreadable" in result));
  const sum = (of: (digest: Digest) => number): number => digests.reduce((all, each) => all + of(each), 0);
  const unreadable = listing.unreadable.length + one.results.length - digests.length;
  const rows: [string, string][] = [
    ["files", count(digests.length)],
    ["bytes", count(sum((d) => d.bytes))],
    ["compressed", count(sum((d) => d.compressed))],
    ["words", count(sum((d) => d.words))],
    ["unreadable", count(unreadable)],
    ["links and devices, passed over", count(listing.passedOver)],
    ["time on one thread", seconds(one.time)],
    [`time on the pool, ${threads} ${threads === 1 ? "worker" : "workers"}`, seconds(many.time)],
    ["speed-up", `${(one.time / many.time).toFixed(2)} x`],
    ["calls per second", count(Math.round((one.results.length / many.time) * 1000))],
  ];
  const left = Math.max(...rows.map(([name]) => name.length));
  const right = Math.max(...rows.map(([, value]) => value.length));
  return rows.map(([name, value]) => `${name.padEnd(left)}  ${value.padStart(right)}`).join("\n");
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
