/**
 * The stress run: `<runtime> knit-node/test/stress/main.ts [seconds] [seed]`; `cargo xtask stress` runs it on every runtime, and reads its last line. The
 * runtime should let it collect: `--expose-gc`.
 */
import { isMain } from "../../ts/index.ts";
import { growth } from "./memory.ts";
import { stress } from "./run.ts";

const mib = (bytes: number): number => Math.round(bytes / 1024 / 1024);

if (isMain) {
  const seconds = Number(process.argv[2] ?? 60);
  const seed = Number(process.argv[3] ?? Date.now() >>> 0);
  console.log(`seed ${seed}, ${seconds} s`);
  const { calls, settled, killed, respawns, marks } = await stress(seconds, seed);
  const [warm, end] = marks;
  const grown = growth(marks);
  const figures = { seconds, seed, calls, ...settled, killed, respawns, warm: mib(warm.bytes), end: mib(end.bytes), descriptors: end.descriptors - warm.descriptors, threads: end.threads - warm.threads };
  console.log(`stress ${Object.entries(figures).map(([name, value]) => `${name}=${value}`).join(" ")}`);
  if (grown !== null) throw new Error(`not flat: ${grown}`);
}
