// Node: bare workers of worker_threads, the collector through a V8 flag.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import type { Channel, Runtime } from "./runtime.ts";

let gc: (() => void) | undefined;

/** The flag is set at the first use: from then on the code that Node carries compiled is refused, and workers start at half the speed. */
function collect(): void {
  if (gc === undefined) {
    setFlagsFromString("--expose-gc");
    gc = runInNewContext("gc") as () => void;
  }
  gc();
}

function startWorker(): Channel {
  const worker = new Worker(new URL("../workers/post-node.js", import.meta.url));
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => void worker.on("message", listener),
    onError: (listener) => void worker.on("error", listener),
    close: async () => void (await worker.terminate()),
  };
}

export const runtime: Runtime = {
  name: "node",
  version: process.version,
  childFlags: [],
  workerFlags: [],
  hasPiscina: true,
  startWorker,
  collect,
};
