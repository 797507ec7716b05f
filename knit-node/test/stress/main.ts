/**
 * The stress run by hand: `<runtime> knit-node/test/stress/main.ts [seconds] [seed]`.
 */
import { isMain } from "../../ts/index.ts";
import { stress } from "./run.ts";

/** Longer runs must not grow by more from their middle to their end. */
const MOST_GROWTH = 64 * 1024 * 1024;

if (isMain) {
  const seconds = Number(process.argv[2] ?? 60);
  const seed = Number(process.argv[3] ?? Date.now() >>> 0);
  console.log(`seed ${seed}, ${seconds} s`);
  const { calls, deaths, growth } = await stress(seconds, seed);
  console.log(`${calls} calls, ${deaths} deaths, ${(growth / 1024 / 1024).toFixed(1)} MiB more at the end than in the middle`);
  if (seconds >= 20 && growth > MOST_GROWTH) throw new Error("memory is not flat");
}
