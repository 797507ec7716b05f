/**
 * Caveats of policies that allow something: each is what the report says, and what a task finds. Those of the default are the escape suite's.
 */
import fs from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import assert from "node:assert/strict";

import { PermissionDeniedError } from "../../ts/index.ts";
import type { Permission, PermissionKey, Pool, PoolOptions } from "../../ts/index.ts";
import * as tasks from "../fixtures/permission.ts";
import { reason, runtime, script, skip, withPool } from "../pool/support.ts";

interface Field {
  readonly folder: string;
  readonly port: number;
  readonly path: string;
}

type Use = (pool: Pool<typeof tasks>, field: Field, caveats: (key: PermissionKey) => string[]) => Promise<void>;

/** Servers on a port of every address and at a path, and a folder. */
function caveat(name: string, kind: "thread" | "process", permission: (field: Field) => Permission, use: Use): void {
  test(`${name}; a ${kind}`, async (t) => {
    if (process.platform !== "linux") return skip(t, "the sandbox is for Linux");
    const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "knit-caveat-")));
    const path = join(folder, "socket");
    const [tcp, unix] = [createServer(), createServer()];
    await Promise.all([once(tcp.listen(0, "0.0.0.0"), "listening"), once(unix.listen(path), "listening")]);
    const field = { folder, path, port: (tcp.address() as AddressInfo).port };
    try {
      const options: PoolOptions = { worker: { runtime: kind }, permission: permission(field) };
      await withPool(options, tasks, (pool) => use(pool, field, (key) => pool.permissions().keys[key].caveats.map(({ id }) => id)));
    } finally {
      tcp.close();
      unix.close();
      fs.rmSync(folder, { recursive: true });
    }
  });
}

const denied = async (call: Promise<unknown>): Promise<void> => {
  const error = await reason(call);
  assert.ok(error instanceof PermissionDeniedError, String(error));
};

caveat("run-inherits: programs that may be started are held as the worker is", "process", () => {
  // Deno starts no program with that. Nothing here needs it.
  process.env["LD_LIBRARY_PATH"] = "/nowhere";
  return { run: ["/bin/cat"] };
}, async ({ call }, _, caveats) => {
  assert.ok(caveats("run").includes("run-inherits"));
  const own = new URL("../fixtures/permission.ts", import.meta.url).pathname;
  assert.match(await call.output(["/bin/cat", own]), /Tasks that ask/);
  assert.ok((await reason(call.output(["/bin/cat", "/etc/passwd"]))) instanceof Error);
  assert.ok((await reason(call.output(["/bin/ls", "/"]))) instanceof Error);
});

caveat("net-tcp-only: a list of ports is for TCP", "process", ({ port }) => ({ net: [`:${port}`] }), async ({ call }, { port, path }, caveats) => {
  assert.ok(caveats("net").includes("net-tcp-only"));
  await call.connect({ host: "127.0.0.1", port });
  await denied(call.datagram(port));
  await denied(call.connect({ host: "127.0.0.1", port: port === 9999 ? 9998 : 9999 }));
  assert.ok((await reason(call.connect({ path }))) instanceof Error);
});

caveat("unix-sockets: with all of the network other programs' sockets are reached", "process", ({ folder }) => ({ net: true, read: [folder], write: [folder] }), async ({ call }, { path }, caveats) => {
  assert.ok(caveats("net").includes("unix-sockets"));
  await call.connect({ path });
});

caveat("net-any-host: the kernel knows no hosts", "process", ({ port }) => ({ net: [`127.0.0.1:${port}`], onWeaker: "warn" }), async ({ call, permissions }, { port }, caveats) => {
  assert.ok(caveats("net").includes("net-any-host"));
  await call.connect({ host: "127.0.0.1", port });
  // Deno tells hosts apart; elsewhere it was refused, but for onWeaker.
  assert.equal(permissions().weaker.some(({ key }) => key === "net"), runtime !== "deno");
  if (runtime === "deno") await denied(call.connect({ host: "127.0.0.2", port }));
  else await call.connect({ host: "127.0.0.2", port });
});

for (const kind of runtime === "node" ? (["thread", "process"] as const) : (["process"] as const)) {
  const policy = ({ folder }: Field): Permission => {
    fs.writeFileSync(join(folder, "kept"), "kept");
    fs.mkdirSync(join(folder, "sub"));
    return { read: [folder], write: [folder], denyWrite: [join(folder, "kept")] };
  };
  caveat("new-files-unwritable: beside what may not be written no file is made, if it says so", kind, policy, async ({ call }, { folder }, caveats) => {
    await denied(call.write(join(folder, "kept")));
    await call.write(join(folder, "sub/new"));
    if (caveats("write").includes("new-files-unwritable")) await denied(call.write(join(folder, "new")));
    else await call.write(join(folder, "new"));
    // In a process, a place of its own covers what is kept, where the machine allows that.
    if (kind === "thread") assert.ok(caveats("write").includes("new-files-unwritable"));
  });
}

caveat("console-descriptor: who writes to the descriptor still reaches the terminal", "thread", () => ({ console: false, onWeaker: "warn" }), async ({ call }, _, caveats) => {
  assert.ok(caveats("console").includes("console-descriptor"));
  assert.equal(await call.descriptor([1, "\n"]), 1);
});

test("env-from-process: programs that a thread starts can be given what the thread is not, if it says so", async (t) => {
  if (process.platform !== "linux" || runtime === "bun") return skip(t, "no thread is held here");
  // By the host's flag Deno takes permissions for a thread.
  const { out, err, code } = await script("program-environment.ts", [], runtime === "deno" ? ["--unstable-worker-options"] : []);
  assert.equal(code, 0, err);
  const { given, caveats } = JSON.parse(out) as { given: boolean; caveats: string[] };
  assert.equal(given, runtime === "deno");
  assert.equal(caveats.includes("env-from-process"), given);
});
