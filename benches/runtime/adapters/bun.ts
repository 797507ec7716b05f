// Bun: web workers, the collector through Bun.gc.
import type { Runtime } from "./runtime.ts";
import { startWebWorker } from "./web.ts";

const { Bun } = globalThis as unknown as { Bun: { version: string; gc(wait: boolean): void } };

export const runtime: Runtime = {
  name: "bun",
  version: Bun.version,
  childFlags: [],
  workerFlags: [],
  hasPiscina: false,
  startWorker: startWebWorker,
  collect: () => Bun.gc(true),
};
