/**
 * The run of faults: `<runtime> knit-node/test/faults/main.ts [seconds] [seed]`; `cargo xtask faults` runs it on every runtime, and reads its last line. With
 * `host` as first argument it is a host to be killed.
 */
import { isMain } from "../../ts/index.ts";
import { serveUntilKilled } from "./hosts.ts";
import type { Way } from "./load.ts";
import { faults } from "./run.ts";

if (isMain) {
  const [, , first, second, third] = process.argv;
  if (first === "host") await serveUntilKilled(second as Way, Number(third));
  const seconds = Number(first ?? 60);
  const seed = Number(second ?? Date.now() >>> 0);
  console.log(`seed ${seed}, ${seconds} s`);
  const { calls, crashed, killedWorkers, killedHosts, left } = await faults(seconds, seed);
  const figures = { seconds, seed, calls, crashed, workers: killedWorkers, hosts: killedHosts, ...left };
  console.log(`faults ${Object.entries(figures).map(([name, value]) => `${name}=${value}`).join(" ")}`);
}
