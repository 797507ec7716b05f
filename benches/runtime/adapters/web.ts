// The bare worker of runtimes that have web workers.
import type { Channel } from "./runtime.ts";

/** The part of the web's Worker that is used here; Node's types do not know it. */
interface WebWorker {
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

const { Worker } = globalThis as unknown as {
  Worker: new (url: URL, options: { type: "module" }) => WebWorker;
};

export function startWebWorker(): Channel {
  const worker = new Worker(new URL("../workers/post-web.js", import.meta.url), { type: "module" });
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => {
      worker.onmessage = (event) => listener(event.data);
    },
    onError: (listener) => {
      worker.onerror = (event) => listener(new Error(event.message ?? "the worker failed"));
    },
    close: async () => worker.terminate(),
  };
}
