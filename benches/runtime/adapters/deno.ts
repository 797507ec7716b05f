// Deno: web workers.
import { fileURLToPath } from "node:url";
import type { Runtime } from "./runtime.ts";
import { collect } from "./v8.ts";
import { startWebWorker } from "./web.ts";

const scope = globalThis as unknown as { Deno: { version: { deno: string } } };

export const runtime: Runtime = {
  name: "deno",
  version: scope.Deno.version.deno,
  childFlags: ["run", "-A"],
  // Else the nearest configuration to a worker's entry counts, which is the package's own, and means its sources.
  workerFlags: [`--config=${fileURLToPath(new URL("../../deno.json", import.meta.url))}`],
  hasPiscina: false,
  startWorker: startWebWorker,
  collect,
};
