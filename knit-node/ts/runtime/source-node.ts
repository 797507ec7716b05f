/**
 * Entry of a Node.js thread with a `source` of the user's own and permissions: restricts the thread, then runs that module.
 */
import { workerData } from "node:worker_threads";

import { restrict } from "../worker/restrict.ts";
import { engine } from "./engine.ts";
import type { WorkerBoot } from "./runtime.ts";

const { knit, source } = workerData as { readonly knit: WorkerBoot; readonly source: string };
restrict(engine(), knit.restriction);
// Not awaited, as in `worker/main.ts`.
import(source).catch((error: unknown) => {
  setImmediate(() => {
    throw error;
  });
});
