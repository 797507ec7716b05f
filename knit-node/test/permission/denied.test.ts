/**
 * What the default allows and denies, as calls show it: a violation rejects its call with `PermissionDeniedError`, and nothing else does.
 */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import assert from "node:assert/strict";

import { PermissionDeniedError, importTask } from "../../ts/index.ts";
import type { PoolOptions } from "../../ts/index.ts";
import * as tasks from "../fixtures/permission.ts";
import { cannotRun } from "../process/support.ts";
import { reason, runtime, skip, withPool } from "../pool/support.ts";

/** Threads that are held: Bun's are not, Deno's only with a flag that this suite is not run with. */
const KINDS = runtime === "node" ? (["thread", "process"] as const) : (["process"] as const);
const LINUX = process.platform === "linux";

function pool(kind: "thread" | "process", more: PoolOptions = {}): PoolOptions {
  return { ...more, worker: { runtime: kind } };
}

for (const kind of KINDS) {
  test(`a ${kind} is denied what the default does not allow, and the call says what, and by whom`, async (t) => {
    if (!LINUX) return skip(t, "the sandbox is for Linux");
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "knit-permission-")));
    writeFileSync(join(folder, "there"), "there");
    const server = createServer((_, response) => response.end("reached"));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    process.env["KNIT_TEST_SECRET"] = "secret";
    try {
      await withPool(pool(kind), tasks, async ({ call }) => {
        const denials: [() => Promise<unknown>, string, string | null][] = [
          [() => call.read("/etc/passwd"), "read", "/etc/passwd"],
          [() => call.readLater("/etc/passwd"), "read", "/etc/passwd"],
          [() => call.wrapped("/etc/passwd"), "read", "/etc/passwd"],
          [() => call.read(join(folder, "there")), "read", join(folder, "there")],
          [() => call.write(join(folder, "new")), "write", join(folder, "new")],
          [() => call.request(url), "net", null],
          [() => call.run("/bin/true"), "run", null],
          [() => call.open("knit-perm-test"), "read", "/dev/shm"],
        ];
        for (const [attempt, permission, resource] of denials) {
          const error = await reason(attempt());
          assert.ok(error instanceof PermissionDeniedError, `${permission}: ${String(error)} ${String((error as Error).cause)}`);
          assert.equal(error.code, "KNT_PERMISSION_DENIED");
          // A file outside may neither be read nor written: the kernel does not say which it was asked for.
          if (permission === "write") assert.match(error.permission, /^(read|write)$/);
          else assert.equal(error.permission, permission);
          if (resource !== null) assert.equal(error.resource, resource);
          assert.match(error.mechanism, /^(kernel|runtime)$/);
          assert.ok(error.cause instanceof Error);
        }
        const secret = await call.variable("KNIT_TEST_SECRET").catch((error: unknown) => error);
        assert.ok(secret === undefined || secret instanceof PermissionDeniedError, String(secret));
        // Ordinary errors stay what they are.
        assert.equal(((await reason(call.read(new URL("../fixtures/none.json", import.meta.url).pathname))) as { code?: string }).code, "ENOENT");
        assert.match(await call.read(new URL("../fixtures/permission.ts", import.meta.url).pathname), /Tasks that ask/);
      });
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
  });

  test(`what is allowed by name can be done in a ${kind}`, async (t) => {
    if (!LINUX) return skip(t, "the sandbox is for Linux");
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "knit-permission-")));
    process.env["KNIT_TEST_GIVEN"] = "given";
    try {
      const permission = { read: [folder, "/dev/shm"], write: [folder, "/dev/shm"], env: ["KNIT_TEST_*", "PATH"] };
      await withPool(pool(kind, { permission }), tasks, async ({ call }) => {
        await call.write(join(folder, "new"));
        assert.equal(await call.variable("KNIT_TEST_GIVEN"), "given");
        await call.open(`knit-perm-${process.pid}`);
        assert.ok((await reason(call.read("/etc/passwd"))) instanceof PermissionDeniedError);
      });
    } finally {
      rmSync(folder, { recursive: true });
      rmSync(`/dev/shm/knit-perm-${process.pid}`, { force: true });
    }
  });

  test(`importTask reaches its module from a ${kind}, wherever that is`, async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "knit-permission-")));
    writeFileSync(join(folder, "away.mjs"), "export default (n) => n + 1;");
    try {
      const away = importTask<(n: number) => number>({ href: join(folder, "away.mjs") });
      await withPool(pool(kind, { permission: "strict" }), { away }, async ({ call }) => assert.equal(await call.away(1), 2));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

const PREFIXES: Readonly<Record<string, readonly string[]>> = {
  env: ["env", "KNIT_TEST_WRAPPED=yes"],
  bwrap: ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc", "--die-with-parent"],
};

for (const [name, processCommandPrefix] of Object.entries(PREFIXES)) {
  test(`a strict worker behind ${name} works, and is denied the same`, async (t) => {
    if (!LINUX) return skip(t, "the sandbox is for Linux");
    const [program, ...rest] = processCommandPrefix;
    const why = cannotRun(program, ...rest, "true");
    if (why !== null) return skip(t, why);
    process.env["KNIT_TEST_SECRET"] = "secret";
    await withPool({ worker: { runtime: "process", processCommandPrefix }, permission: "strict" }, tasks, async ({ call, permissions }) => {
      assert.equal(await call.add([1, 2]), 3);
      assert.deepEqual(permissions().weaker, []);
      for (const [attempt, permission] of [
        [() => call.read("/etc/passwd"), "read"],
        [() => call.readLater("/etc/passwd"), "read"],
        [() => call.request("http://127.0.0.1:9999/"), "net"],
        [() => call.run("/bin/true"), "run"],
      ] as const) {
        const error = await reason(attempt());
        assert.ok(error instanceof PermissionDeniedError, `${permission}: ${String(error)} ${String((error as Error).cause)}`);
        assert.equal(error.permission, permission);
      }
      const secret = await call.variable("KNIT_TEST_SECRET").catch((error: unknown) => error);
      assert.ok(secret === undefined || secret instanceof PermissionDeniedError, String(secret));
    });
  });
}
