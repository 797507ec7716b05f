/**
 * Many pools, then many ends: `<runtime> knit-node/test/soak/main.ts [pools] [ends]`, with `--expose-gc`; `cargo xtask soak` runs it on every runtime, and
 * reads its last line.
 *
 * After a warm-up of pools nothing may be left of as many as are asked for. A process that ends with calls in flight must do so with the code that it gave,
 * at whatever moment: the moments go round over its first 150 ms.
 */
import assert from "node:assert/strict";

import { isMain } from "../../ts/index.ts";
import { count, use } from "../fixtures/pools.ts";
import { script } from "../pool/support.ts";
import { growth, measure } from "../stress/memory.ts";

/** After so many the runtimes have what they keep for good. */
const WARM_UP = 20;
/** Mappings that allocators of runtime and system may keep: a pool that stayed would have one of its own. */
const MAPPINGS = 60;
/** Descriptors of the runtime's own, which come and go. */
const DESCRIPTORS = 4;

if (isMain) {
  const [pools, ends] = [Number(process.argv[2] ?? 500), Number(process.argv[3] ?? 100)];
  await use(WARM_UP);
  const [first, warm] = [await count(), await measure()];
  await use(pools);
  const [last, end] = [await count(), await measure(warm)];

  let crashed = 0;
  for (let i = 0; i < ends; i++) {
    const { code, signal, err } = await script("ends.ts", ["exit in flight", String((i * 7) % 150)]);
    if (code === 5 && signal === null && err === "") continue;
    crashed++;
    console.log(`process ${i} ended with code ${code}, signal ${signal}: ${err}`);
  }

  const mib = (bytes: number): number => Math.round(bytes / 1024 / 1024);
  const figures = {
    pools,
    threads: last.threads - first.threads,
    descriptors: last.descriptors - first.descriptors,
    mappings: last.mappings - first.mappings,
    warm: mib(warm.bytes),
    end: mib(end.bytes),
    ends,
    crashed,
  };
  console.log(`soak ${Object.entries(figures).map(([name, value]) => `${name}=${value}`).join(" ")}`);
  assert.equal(last.threads, first.threads, "threads");
  assert.equal(last.pools, 0, "mappings of pools");
  assert.ok(figures.descriptors <= DESCRIPTORS, "descriptors");
  assert.ok(figures.mappings <= MAPPINGS, "mappings");
  assert.equal(growth([warm, end]), null);
  assert.equal(crashed, 0, "processes that ended in another way than asked");
}
