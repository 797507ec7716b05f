/**
 * The host's own input and output goes on, whatever restricted threads have used before: what a runtime's threads share is never made by a restricted one.
 */
import { execFileSync } from "node:child_process";
import dns from "node:dns";
import { once } from "node:events";
import { promises as fs, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import assert from "node:assert/strict";

import { busy } from "../fixtures/permission.ts";
import { withPool } from "../pool/support.ts";

test("restricted threads do not keep the host from its files, network and programs", async () => {
  const server = createServer((_, response) => response.end("reached"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const folder = mkdtempSync(join(tmpdir(), "knit-shared-"));
  try {
    await withPool({ threads: 2, worker: { runtime: "thread" } }, { busy }, async ({ call }) => {
      for (let round = 0; round < 3; round++) await Promise.all([call.busy(url), call.busy(url)]);
      const own: Promise<unknown>[] = [];
      for (let i = 0; i < 100; i++) own.push(fs.readFile("/etc/passwd"), fs.writeFile(join(folder, `${i}`), "written"));
      for (let i = 0; i < 10; i++) own.push(fetch(url).then((response) => response.text()), dns.promises.lookup("localhost"));
      const failed = (await Promise.allSettled(own)).flatMap((result) => (result.status === "rejected" ? [String(result.reason)] : []));
      assert.deepEqual(failed, []);
      execFileSync("/bin/true");
    });
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});
