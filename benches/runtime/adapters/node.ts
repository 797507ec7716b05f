// Node: bare workers of worker_threads.
import { Worker } from "node:worker_threads";
import type { Channel, Runtime } from "./runtime.ts";
import { collect } from "./v8.ts";

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
