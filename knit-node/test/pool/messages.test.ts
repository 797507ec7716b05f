/**
 * How a worker thread is told what it needs, on runtimes with web workers, is nobody else's business.
 */
import assert from "node:assert/strict";

import { messages } from "../fixtures/listens.ts";
import { reason, runtime, skip, testOfThreads, within, withPool } from "./support.ts";
import { createPool } from "../../ts/index.ts";

interface WebWorker {
  postMessage(message: unknown, transfer?: readonly object[]): void;
}

/** Runs `body` with a runtime that takes long to move ports to workers. */
async function withSlowPorts(body: () => Promise<void>): Promise<void> {
  const { prototype } = (globalThis as unknown as { Worker: { prototype: WebWorker } }).Worker;
  const { postMessage } = prototype;
  prototype.postMessage = function (message, transfer) {
    if (transfer === undefined || transfer.length === 0) postMessage.call(this, message);
    else setTimeout(() => postMessage.call(this, message, transfer), 200);
  };
  try {
    await body();
  } finally {
    prototype.postMessage = postMessage;
  }
}

const ofThreads = testOfThreads("processes are told through memory");

ofThreads("a module that listens for messages hears none of the pool's", async (t) => {
  if (runtime === "node") return skip(t, "its threads are told all when they are made");
  await withSlowPorts(() =>
    withPool({ threads: 2 }, { messages }, async ({ call }) => {
      for (let round = 0; round < 10; round++) assert.equal(await call.messages(), 0);
    }),
  );
});

ofThreads("a pool can be shut down while a worker has not been told all", async (t) => {
  if (runtime === "node") return skip(t, "its threads are told all when they are made");
  await withSlowPorts(async () => {
    const pool = createPool({})({ messages });
    const open = reason(pool.call.messages());
    await within(pool.shutdown(50), "shutdown()");
    assert.equal(((await open) as { code: string }).code, "KNT_POOL_CLOSED");
  });
});
