/**
 * What the system refuses a pool of processes: an error with a code that says what to do, at once; nothing is left of the pool, and the next one works.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import type { TestContext } from "node:test";
import assert from "node:assert/strict";

import type { PoolOptions } from "../../ts/index.ts";
import type { Outcome } from "../fixtures/limits.ts";
import { skip } from "../pool/support.ts";
import { cannotRun, processes } from "./support.ts";

const script = fileURLToPath(new URL("../fixtures/limits.ts", import.meta.url));

/** Runs the script behind a command. */
function run(prefix: readonly string[], way: string, options: PoolOptions): Outcome[] {
  const flags = "Deno" in globalThis ? ["run", "-A", "--no-check", "--v8-flags=--expose-gc"] : "Bun" in globalThis ? [] : ["--expose-gc"];
  const [program = "", ...rest] = [...prefix, process.execPath, ...flags, script, way, JSON.stringify(options)];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: "utf8", env });
  assert.equal(status, 0, stderr);
  // What cannot be planned for now is refused, not left out.
  assert.doesNotMatch(stderr, /not enforced in full[^]*Too many open files/);
  return stdout.trim().split("\n").map((line) => JSON.parse(line) as Outcome);
}

/** The pools that have failed, which have left nothing, as the others. */
function failures(outcomes: readonly Outcome[]): Outcome[] {
  for (const { what, children, descriptors } of outcomes) assert.deepEqual({ what, children, descriptors }, { what, children: 0, descriptors: 0 });
  for (const end of [outcomes[0], outcomes.at(-1)]) assert.equal(end?.answer, 42, JSON.stringify(end));
  return outcomes.filter(({ answer }) => answer !== 42);
}

const LOW = ["prlimit", "--nofile=200"];
const KINDS: Readonly<Record<string, PoolOptions>> = {
  "that inherit": processes({}, { threads: 2, permission: "unsafe" }),
  "that connect to names": processes({ processSharedMemory: "named" }, { threads: 2, permission: "unsafe" }),
  "in sandboxes": processes({}, { threads: 2 }),
};

for (const [kind, options] of Object.entries(KINDS)) {
  test(`a host that may open no more descriptors, workers ${kind}`, (t: TestContext) => {
    const why = cannotRun("prlimit", "--nofile=200", "true");
    if (why !== null) return skip(t, why);
    const failed = failures(run(LOW, "descriptors", options));
    assert.ok(failed.length >= 5, JSON.stringify(failed));
    for (const { what, code, message } of failed) {
      assert.match(code ?? "none", /^(SHM_OS|KNT_WORKER_START|KNT_SANDBOX_PATH|KNT_PERMISSION_UNREADABLE|KNT_PERMISSION_PROGRAM)$/, `${what}: ${message}`);
      assert.match(message ?? "", /Too many open files[^]*ulimit -n/, what);
    }
  });
}

for (const [kind, options] of Object.entries(KINDS)) {
  for (const threads of [1, 2]) {
    test(`a worker of ${threads} that dies when the host may open no more descriptors is replaced when it may again, workers ${kind}`, (t: TestContext) => {
      const why = cannotRun("prlimit", "--nofile=200", "true");
      if (why !== null) return skip(t, why);
      assert.deepEqual(failures(run(LOW, "respawn", { ...options, threads })), []);
    });
  }
}

test("a host whose address space has no room for a pool", (t) => {
  const why = cannotRun("prlimit", "--as=unlimited", "true");
  if (why !== null) return skip(t, why);
  const failed = failures(run([], "memory", processes({}, { permission: "unsafe" })));
  assert.ok(failed.length > 0);
  for (const { code, message } of failed) {
    assert.equal(code, "SHM_OS");
    assert.match(message ?? "", /Cannot allocate memory[^]*payload\.payloadMaxByteLength/);
  }
});

test("names where /dev/shm is full", (t) => {
  // Not one file fits.
  const full = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs -o nr_inodes=1 none /dev/shm && exec "$0" "$@"'];
  const why = cannotRun("unshare", ...full.slice(1), "true");
  if (why !== null) return skip(t, why);
  const [named] = run(full, "once", processes({ processSharedMemory: "named" }, { permission: "unsafe" }));
  assert.equal(named?.code, "KNT_WORKER_START");
  assert.match(named?.message ?? "", /No space left on device[^]*\/dev\/shm/);
  // Memory that has no name is not in there.
  const [inherited] = run(full, "once", processes({}, { permission: "unsafe" }));
  assert.equal(inherited?.answer, 42, JSON.stringify(inherited));
});
