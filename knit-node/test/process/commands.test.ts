/**
 * The commands that start workers: other runtimes, wrappers, and those that fail.
 */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import assert from "node:assert/strict";

import { WorkerCrashedError, WorkerStartError, createPool } from "../../ts/index.ts";
import { double, nice, pid, stuck, variable } from "../fixtures/process.ts";
import { reason, runtime, skip, sleep, within, withPool } from "../pool/support.ts";
import { cannotRun, endsWithin, lives, processes, startsOnce } from "./support.ts";

for (const processRuntime of ["node", "deno", "bun"] as const) {
  test(`workers may be ${processRuntime} processes`, (t) => {
    const why = cannotRun(processRuntime, "--version");
    if (why !== null) return skip(t, why);
    return withPool(processes({ processRuntime }, { threads: 2 }), { double, pid }, async ({ call }) => {
      assert.deepEqual(await Promise.all(Array.from({ length: 2000 }, (_, i) => call.double(i))), Array.from({ length: 2000 }, (_, i) => i * 2));
      assert.notEqual(await call.pid(), process.pid);
    });
  });
}

const WRAPPERS: Readonly<Record<string, readonly string[]>> = {
  nice: ["nice", "-n", "5"],
  env: ["env", "KNIT_TEST_WRAPPED=yes"],
  "a shell that stays": ["sh", "-c", '"$0" "$@"; exit $?'],
  bwrap: ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--die-with-parent"],
};

for (const [name, processCommandPrefix] of Object.entries(WRAPPERS)) {
  test(`workers may be started through ${name}`, (t) => {
    const [program, ...rest] = processCommandPrefix;
    const why = cannotRun(program, ...rest, "true");
    // Bubblewrap hides /tmp: what is there cannot be run in it.
    const hidden = name === "bwrap" && import.meta.url.startsWith("file:///tmp/") ? "this checkout is in /tmp, which bwrap hides" : null;
    if (why !== null || hidden !== null) return skip(t, why ?? hidden ?? "");
    // Deno asks before it tells a priority.
    const permission = "Deno" in globalThis && name === "nice" ? { permission: { sys: ["getPriority"] } } : {};
    return withPool(processes({ processCommandPrefix }, { threads: 2, ...permission }), { double, nice, variable }, async ({ call }) => {
      assert.deepEqual(await Promise.all(Array.from({ length: 500 }, (_, i) => call.double(i))), Array.from({ length: 500 }, (_, i) => i * 2));
      if (name === "nice") assert.equal(await call.nice(), Math.min(getPriority() + 5, 19));
      if (name === "env") assert.equal(await call.variable("KNIT_TEST_WRAPPED"), "yes");
    });
  });
}

test("a program that is not there: an error of createPool that names it", () => {
  const path = process.env["PATH"];
  try {
    process.env["PATH"] = "/nonexistent";
    const other = "Bun" in globalThis ? "deno" : "bun";
    assert.throws(
      () => createPool(processes({ processRuntime: other }))({ double }),
      (error) => error instanceof WorkerStartError && error.message.includes(`no ${other} in PATH`),
    );
  } finally {
    process.env["PATH"] = path;
  }
  assert.throws(
    () => createPool(processes({ processCommandPrefix: ["/nonexistent/wrapper"] }))({ double }),
    (error) => error instanceof WorkerStartError && /\/nonexistent\/wrapper.*processCommandPrefix/.test(error.message),
  );
});

test("a program that has the name of another runtime: an error that says what it is", async () => {
  const other = runtime === "node" ? "bun" : "node";
  const path = process.env["PATH"];
  const folder = mkdtempSync(join(tmpdir(), "knit-stand-in-"));
  try {
    symlinkSync(process.execPath, join(folder, other));
    process.env["PATH"] = `${folder}${delimiter}${path}`;
    const says = (error: unknown): boolean => error instanceof WorkerStartError && error.message.includes(`the first ${other} in PATH is ${runtime}: `);
    assert.throws(() => createPool(processes({ processRuntime: other }))({ double }), says);
    // Nobody asks it before it is started.
    const pool = createPool(processes({ processRuntime: other, respawn: false }, { permission: "unsafe" }))({ double });
    const error = await within(reason(pool.call.double(1)), "a call of another runtime");
    assert.ok(says(error), String(error));
    await within(pool.shutdown(), "shutdown() after it");
  } finally {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true });
  }
});

const BROKEN: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["a wrapper that closes standard input", ["sh", "-c", 'exec "$0" "$@" <&-'], /exit code 78\. It said: standard input is not what a pool's host gives to its worker .*"named" is for such wrappers$/],
  ["a wrapper that gives it another standard input", ["sh", "-c", 'exec "$0" "$@" </dev/null'], /exit code 78\. It said: standard input is not what a pool's host gives to its worker .*"named" is for such wrappers$/],
  ["a command that fails", ["sh", "-c", "echo out of order >&2; exit 3"], /exit code 3[^]*out of order/],
];

/** Where this package is: what Bubblewrap would hide with `--tmpfs`. */
const folder = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

for (const [name, processCommandPrefix, says] of [...BROKEN, ["a wrapper that hides the package", ["sh", "-c", "exit 1", "bwrap", "--tmpfs", folder], /hides .* by --tmpfs/] as const]) {
  test(`${name}: every call rejects, and says why`, async () => {
    const pool = createPool(processes({ processCommandPrefix, respawn: false }, { threads: 2 }))({ double });
    const early = [pool.call.double(1), pool.call.double(2)].map(reason);
    for (const error of [...(await within(Promise.all(early), "calls before the failure")), await within(reason(pool.call.double(3)), "a later call")]) {
      assert.ok(error instanceof WorkerStartError, String(error));
      assert.match(error.message, says);
    }
    await within(pool.shutdown(), "shutdown() after a failure");
  });
}

test("a wrapper that closes standard input: nothing is tried again", () => startsOnce({}, { double }));

test("a wrapper that fails at first: it is tried again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "knit-starts-"));
  try {
    const starts = join(folder, "starts");
    const script = `echo >> '${starts}'; [ $(wc -l < '${starts}') -lt 3 ] && exit 3; exec "$0" "$@"`;
    await withPool(processes({ processCommandPrefix: ["sh", "-c", script] }), { double }, async ({ call }) => {
      assert.equal(await call.double(21), 42);
      assert.equal(readFileSync(starts, "utf8"), "\n\n\n");
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("ending a worker ends what its wrapper has started", async () => {
  const pool = createPool(processes({ processCommandPrefix: ["sh", "-c", '"$0" "$@"; exit $?'] }))({ pid });
  const worker = await within(pool.call.pid(), "a wrapped worker");
  await within(pool.shutdown(), "shutdown()");
  assert.ok(!lives(worker));
});

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  test(`a wrapper that is ended by ${signal} takes its worker with it, whatever that runs`, async () => {
    await withPool(processes({ processCommandPrefix: ["sh", "-c", '"$0" "$@"; exit $?'] }), { pid, stuck }, async ({ call, stats }) => {
      const worker = await within(call.pid(), "a wrapped worker");
      const open = reason(call.stuck());
      // What it has not taken its successor runs.
      while (stats().running === 0) await sleep(5);
      const stat = readFileSync(`/proc/${worker}/stat`, "utf8");
      const [, wrapper] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      process.kill(Number(wrapper), signal);
      const error = await within(open, "a call of a worker without its wrapper");
      assert.ok(error instanceof WorkerCrashedError && error.signal === signal, String(error));
      assert.ok(await endsWithin(worker, 10_000), "the worker lives on");
      assert.notEqual(await within(call.pid(), "its successor"), worker);
    });
  });
}
