// Deno: web workers. The collector is reachable only if the program was started with `--v8-flags=--expose-gc`.
import { fileURLToPath } from "node:url";
import type { Runtime } from "./runtime.ts";
import { startWebWorker } from "./web.ts";

const scope = globalThis as unknown as { Deno: { version: { deno: string } }; gc?: () => void };

export const runtime: Runtime = {
  name: "deno",
  version: scope.Deno.version.deno,
  childFlags: ["run", "-A", "--v8-flags=--expose-gc"],
  // Else the nearest configuration to a worker's entry counts, which is the package's own, and means its sources.
  workerFlags: [`--config=${fileURLToPath(new URL("../../deno.json", import.meta.url))}`],
  hasPiscina: false,
  startWorker: startWebWorker,
  collect: () => scope.gc?.(),
};
