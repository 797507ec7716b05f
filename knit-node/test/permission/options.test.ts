/**
 * The option `permission`: what is refused before anything starts, with a way out, and what `pool.permissions()` says.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { OptionError, PermissionUnenforceableError, createPool } from "../../ts/index.ts";
import type { Permission, PermissionReport, PoolOptions } from "../../ts/index.ts";
import { decide } from "../../ts/runtime/deno-options.ts";
import { add, read, variable } from "../fixtures/permission.ts";
import { runtime, skip, withPool } from "../pool/support.ts";

const process_ = { worker: { runtime: "process" } } as const;

test("what is no policy is an error that names the key", () => {
  const bad: [unknown, RegExp][] = [
    ["lax", /permission must be one of strict, unsafe/],
    [{ raed: ["."] }, /did you mean "read"/],
    [{ read: "." }, /permission\.read .*a list of strings/],
    [{ workers: 1 }, /permission\.workers must be true or false/],
    [{ mode: "unsafe", read: ["."] }, /permission\.read has no meaning/],
    [{ env: { alow: [] } }, /did you mean "allow"/],
    [{ node: { flags: [1] } }, /node\.flags/],
  ];
  for (const [permission, says] of bad) {
    assert.throws(() => createPool({ permission: permission as Permission }), (error) => error instanceof OptionError && says.test(error.message), JSON.stringify(permission));
  }
  const unknown: [Permission, RegExp][] = [
    [{ read: ["/nonexistent/place"] }, /permission\.read: there is no \/nonexistent\/place/],
    [{ read: ["a*b"] }, /permission\.read/],
    [{ run: ["no-such-command-anywhere"] }, /permission\.run.*no-such-command-anywhere/],
    [{ node: { flags: ["--allow-fs-read=*"] } }, /permission\.node/],
  ];
  for (const [permission, says] of unknown) {
    assert.throws(() => createPool({ ...process_, permission })({ add }), (error) => error instanceof OptionError && says.test(error.message), JSON.stringify(permission));
  }
});

/** What cannot be enforced with threads of this runtime, and with its processes. */
const UNENFORCEABLE: Readonly<Record<typeof runtime, readonly [PoolOptions, readonly string[]][]>> = {
  node: [
    [{ permission: { net: ["example.org:443"] } }, ["net"]],
    [{ permission: { workers: true } }, ["workers"]],
    [{ ...process_, permission: { net: ["example.org:443"], sys: false } }, ["net", "sys"]],
  ],
  deno: [
    [{ permission: "strict" }, ["env", "mode", "read", "write"]],
    [{ ...process_, permission: { wasi: false } }, ["wasi"]],
  ],
  bun: [
    [{ permission: "strict" }, ["env", "net", "read", "run", "write"]],
    [{ permission: { read: ["."] } }, ["read"]],
    [{ ...process_, permission: { net: ["example.org"], ffi: false } }, ["ffi", "net"]],
  ],
};

for (const [options, keys] of UNENFORCEABLE[runtime]) {
  test(`what cannot be enforced is refused, key by key, with a way out: ${JSON.stringify(options)}`, async () => {
    assert.throws(
      () => createPool(options)({ add }),
      (error) => {
        assert.ok(error instanceof PermissionUnenforceableError);
        assert.equal(error.code, "KNT_PERMISSION_UNENFORCEABLE");
        assert.deepEqual(error.refusals.map(({ key }) => key).sort(), keys);
        for (const { key, runtime: whose, reason, wayOut } of error.refusals) {
          assert.ok(error.message.includes(`permission.${key} on ${whose}: ${reason}. ${wayOut}`), error.message);
          assert.match(whose, /^worker (threads|processes) of /);
        }
        return true;
      },
    );
    // Or it takes less, and says so.
    const permission = { ...(options.permission === "strict" ? { mode: "strict" as const } : (options.permission as object)), onWeaker: "warn" as const };
    await withPool({ ...options, permission }, { add }, async ({ call, permissions }) => {
      assert.equal(await call.add([1, 2]), 3);
      // Beside what the default alone would say.
      const weaker = permissions().weaker.map(({ key }) => key);
      assert.deepEqual(keys.filter((key) => !weaker.includes(key)), []);
    });
  });
}

if (runtime === "deno") {
  test("strict threads of a Deno without its option: the refusal says how to start it", () => {
    assert.throws(() => createPool({ permission: "strict" })({ add }), /Start Deno with --unstable-worker-options, or put "unstable": \["worker-options"\] into deno\.json/);
  });
}

test("strict processes need Landlock, and say so", async (t) => {
  if (process.platform !== "linux") return skip(t, "the sandbox is for Linux");
  process.env["KNITTING_LANDLOCK"] = "0";
  try {
    assert.throws(
      () => createPool({ ...process_, permission: "strict" })({ add }),
      (error) => error instanceof PermissionUnenforceableError && /this kernel has no Landlock/.test(error.message) && /permission: "unsafe"/.test(error.message),
    );
    // The default promises less: it works, and tells.
    await withPool(process_, { add }, async ({ call, permissions }) => {
      assert.equal(await call.add([1, 2]), 3);
      assert.ok(permissions().weaker.some(({ reason }) => reason.includes("Landlock")));
    });
  } finally {
    delete process.env["KNITTING_LANDLOCK"];
  }
});

for (const kind of ["thread", "process"] as const) {
  test(`"unsafe" applies nothing to a ${kind}, and says that nobody enforces anything`, () => {
    process.env["KNIT_TEST_SECRET"] = "secret";
    return withPool({ worker: { runtime: kind }, permission: "unsafe" }, { read, variable }, async ({ call, permissions }) => {
      assert.equal(await call.variable("KNIT_TEST_SECRET"), "secret");
      assert.notEqual(await call.read("/etc/passwd"), "");
      const { mode, keys } = permissions();
      assert.equal(mode, "unsafe");
      for (const { by, strength } of Object.values(keys)) assert.deepEqual({ by, strength }, { by: ["nobody"], strength: "allowed" });
    });
  });

  test(`the default says of every key who enforces it on a ${kind}`, () =>
    withPool({ worker: { runtime: kind } }, { add }, ({ permissions }) => {
      const report: PermissionReport = permissions();
      assert.equal(report.mode, "strict");
      assert.deepEqual(Object.keys(report.keys).sort(), ["console", "env", "ffi", "import", "net", "read", "run", "signals", "sys", "wasi", "workers", "write"]);
      for (const { by, caveats } of Object.values(report.keys)) {
        assert.ok(by.length > 0);
        for (const { id, text } of caveats) assert.ok(id !== "" && text.endsWith("."), id);
      }
      if (kind === "process" && process.platform === "linux") {
        for (const key of ["read", "write", "net", "run"] as const) assert.ok(report.keys[key].by.includes("kernel"), key);
        assert.deepEqual(report.weaker, []);
      }
      return Promise.resolve();
    }));
}

test("flags that change permissions are refused: that is what the option is for", () => {
  assert.throws(() => createPool({ workerExecArgv: ["--allow-fs-read=*"] })({ add }), /--allow-fs-read=\* changes permissions/);
});

test("tasks that the host runs itself are held by nobody: refused if asked, else reported", async () => {
  const inliner = { position: "first" } as const;
  assert.throws(() => createPool({ ...process_, inliner, permission: "strict" })({ add }), PermissionUnenforceableError);
  await withPool({ ...process_, inliner }, { add }, ({ permissions }) => {
    assert.ok(permissions().weaker.some(({ reason }) => reason.includes("inliner")));
    return Promise.resolve();
  });
});

test("whether Deno takes permissions for threads is read where Deno reads it", () => {
  const main = "file:///nowhere/at/all/main.ts";
  assert.equal(decide(["run", "-A", "--unstable-worker-options", "main.ts"], main, "/"), true);
  assert.equal(decide(["run", "-A", "main.ts"], main, "/"), false);
  assert.equal(decide(["run", "--no-config", "main.ts"], main, "/"), false);
  const config = new URL("../fixtures/deno-options/deno.jsonc", import.meta.url);
  assert.equal(decide(["run", `--config=${config.pathname}`, "main.ts"], main, "/"), true);
  assert.equal(decide(["run", "-c", config.pathname, "main.ts"], main, "/"), true);
  assert.equal(decide(["run", "main.ts"], new URL("main.ts", config).href, "/"), true);
  // Tests are run with the configuration around the working directory.
  assert.equal(decide(["test", "main.ts"], new URL("main.ts", config).href, "/"), false);
  assert.equal(decide(["test"], main, new URL(".", config).pathname), true);
});
