/**
 * `worker.bootstrap`: a function that each worker awaits before it loads tasks.
 */
import { WorkerStartError } from "../api/errors.ts";
import { exportOf } from "../api/plain-function.ts";
import { decodeAlone } from "../codec/alone.ts";
import type { BootstrapBoot } from "../runtime/runtime.ts";
import { importModule, reasonOf } from "./bind.ts";
import type { Import } from "./bind.ts";
import { during } from "./unfinished.ts";

/** Runs it. */
export async function bootstrap({ href, name, data }: BootstrapBoot, load: Import): Promise<void> {
  const run = exportOf(await importModule(href, load), name);
  if (typeof run !== "function") throw new WorkerStartError(`worker.bootstrap: ${href} has no function "${name}"`);
  try {
    await during(`worker.bootstrap: "${name}" of ${href} has begun`, () => (run as (data: unknown) => unknown)(decodeAlone(data)));
  } catch (cause) {
    throw new WorkerStartError(`worker.bootstrap: "${name}" of ${href} failed: ${reasonOf(cause)}`, { cause });
  }
}
