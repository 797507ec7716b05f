/**
 * Task code that tries to get out of its pool, by every way that we know, with the default and with "strict".
 *
 * Every attempt is denied, or is what a caveat of `pool.permissions()` says, or is of a key that it says nobody enforces. A caveat that no attempt shows is
 * wrong, too. What a worker is for goes on working. Each case prints a line for the table of `cargo xtask test`.
 */
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import assert from "node:assert/strict";

import type { Permission, PermissionKey, PermissionReport } from "../../ts/index.ts";
import { runtime, script, skip } from "../pool/support.ts";
import { attack, enter } from "./support.ts";
import type { Line } from "./support.ts";

/** The caveats that an attempt shows by its success. */
const BY_SUCCESS: Readonly<Record<string, readonly string[]>> = {
  "stat outside": ["stat-visible"],
  "watch outside": ["stat-visible"],
  "host name": ["sys-visible"],
  wasi: ["wasi-inside"],
  "a secret made later": ["late-secrets"],
  "read: names in .git": ["denied-names-listed"],
  "read: through a link in a folder, promises": ["async-by-runtime"],
  "signals: the host, 0": ["signals-unrestricted"],
  "read: promises": ["async-from-threads"],
  "read: promises, many": ["async-from-threads"],
  "write: promises": ["async-from-threads"],
  "env: the host's flags": ["node-options-visible"],
  "read: a descriptor that the host has open": ["shared-descriptors"],
  "write: to a file that the host has open": ["shared-descriptors"],
  "net: look a name up": ["dns-from-threads"],
  "workers: start one": ["workers-inside", "workers-by-guard"],
  "workers: start one by node:worker_threads": ["workers-by-guard"],
  "native: the host's environment": ["native-code"],
  "native: the machine's name": ["sys-visible", "native-code"],
  "run: replace itself": ["self-replace"],
  "native: load a library": ["ffi-inside"],
  "native: load an addon": ["ffi-inside"],
  "native: require an addon": ["ffi-inside"],
};

/** The caveats that an attempt shows by its failure. */
const BY_FAILURE: Readonly<Record<string, readonly string[]>> = {
  "a new file is readable": ["new-files-unreadable"],
  "a mode in the working directory": ["metadata-fixed"],
  "work: list": ["folder-unlistable"],
  "work: write beside": ["folder-unlistable"],
};

/** What it takes native code to show: shown by the cases that allow some, which have the kernel's part of the plan in common with the others. */
const BY_NATIVE_CODE = ["self-replace", "native-code"];

/** Which of a thread's helpers does the work is Deno's choice, and which were there before: it shows these in most runs, not in all. */
const MOSTLY = ["async-by-runtime", "async-from-threads", "shared-descriptors"];

/** Which key an attempt is about, by the word that it begins with. */
const KEY: Readonly<Record<string, PermissionKey>> = {
  read: "read",
  write: "write",
  net: "net",
  run: "run",
  native: "ffi",
  replaced: "read",
  import: "import",
  env: "env",
  workers: "workers",
  signals: "signals",
  inspector: "signals",
  stat: "read",
  watch: "read",
  host: "sys",
  wasi: "wasi",
  // Deno's own permissions: where it has none, there is nothing to ask for.
  prompt: "sys",
  a: "read",
};

/** What would harm the machine, or end the host, where nobody stops it. */
const HARMFUL = ["write: the host's settings", "write: the host's name", "write: a kernel setting", "inspector: of the host", "native: fork", "native: trace the host", "import: installed on the fly"];

interface Case {
  readonly kind: "thread" | "process";
  readonly permission: Permission | null;
  readonly flags?: readonly string[];
  readonly spare?: readonly string[];
  readonly named?: string;
  /** Native code is allowed, and must be held by the kernel, or shown not to be. */
  readonly native?: boolean;
}

const NATIVE: Permission = { mode: "strict", ffi: true };

const CASES: Readonly<Record<typeof runtime, readonly Case[]>> = {
  node: [
    { kind: "process", permission: "strict" },
    { kind: "process", permission: NATIVE, named: "process with native code", native: true },
    { kind: "thread", permission: "strict" },
    { kind: "thread", permission: NATIVE, named: "thread with native code", native: true },
  ],
  deno: [
    { kind: "process", permission: "strict" },
    { kind: "process", permission: NATIVE, named: "process with native code", native: true },
    { kind: "thread", permission: NATIVE, flags: ["--unstable-worker-options"], named: "thread with native code", native: true },
    { kind: "thread", permission: "strict", flags: ["--unstable-worker-options"] },
    { kind: "thread", permission: null, named: "thread without --unstable-worker-options", spare: HARMFUL },
  ],
  bun: [
    { kind: "process", permission: "strict" },
    { kind: "thread", permission: null, spare: HARMFUL },
  ],
};

for (const { kind, permission, flags = [], spare = [], named = kind, native = false } of CASES[runtime]) {
  test(`task code gets out of a ${named} in no other way than pool.permissions() says`, async (t) => {
    if (process.platform !== "linux") return skip(t, "the sandbox is for Linux");
    const { config, leave } = await enter();
    const { lines, report } = await attack(config, kind, permission, flags, spare);
    const seen = await leave();
    const { attempts, denied, works, shown, wrong } = judge(lines, report, native);
    const nobody = (key: PermissionKey): boolean => report.keys[key].strength === "weak";
    for (const arrival of seen.arrived) if (!nobody("net")) wrong.push(`arrived: ${arrival}`);
    if (runtime === "deno" && kind === "thread") for (const id of MOSTLY) wrong.splice(0, wrong.length, ...wrong.filter((text) => text !== `no attempt shows the caveat ${id}`));
    for (const what of seen.touched) if (!nobody("write")) wrong.push(`changed outside: ${what}`);
    assert.deepEqual(wrong, []);
    assert.ok(attempts > 80 && works > 10, `${attempts} attempts, ${works} uses`);
    const version = process.versions[runtime] as string;
    console.log(`escape, ${runtime} ${version} ${named}: ${attempts} attempts, ${denied} denied, ${attempts - denied} documented (${[...shown].sort().join(" ")}); ${works} uses work`);
  });
}

function judge(lines: readonly Line[], report: PermissionReport, native: boolean) {
  const elsewhere = native ? [] : BY_NATIVE_CODE;
  const documented = new Set(Object.values(report.keys).flatMap(({ caveats }) => caveats.map(({ id }) => id)));
  const shown = new Set<string>();
  const wrong: string[] = [];
  let [attempts, denied, works] = [0, 0, 0];
  for (const { name, got, error } of lines) {
    const said = `${name}: ${got ?? error ?? ""}`;
    const caveats = (got === undefined ? BY_FAILURE : BY_SUCCESS)[name]?.filter((id) => documented.has(id)) ?? [];
    const key = KEY[/^\w+/.exec(name)?.[0] ?? ""];
    const nobody = key !== undefined && report.keys[key].strength === "weak";
    for (const id of caveats) shown.add(id);
    if (name.startsWith("work: ")) {
      works++;
      if (got === undefined && caveats.length === 0) wrong.push(`must go on working: ${said}`);
      continue;
    }
    attempts++;
    // What these fail by is a restriction that is told, their success is as it should be.
    if (Object.hasOwn(BY_FAILURE, name)) {
      denied++;
      if (got === undefined && caveats.length === 0) wrong.push(`no caveat names it: ${said}`);
    } else if (got === undefined) {
      denied++;
    } else if (caveats.length === 0) {
      if (nobody) shown.add(`${key}: nobody`);
      else if (native && /^native: (load|require) /.test(name)) shown.add("ffi: allowed");
      else wrong.push(`not denied: ${said}`);
    }
  }
  for (const id of documented) if (!shown.has(id) && !elsewhere.includes(id)) wrong.push(`no attempt shows the caveat ${id}`);
  return { attempts, denied, works, shown, wrong };
}

if (runtime === "deno") {
  test("importing npm: names asks the registry only from a thread with a network, and the report says so", async () => {
    const asked: string[] = [];
    const registry = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(404, { "content-type": "application/json" }).end("{}");
    });
    await once(registry.listen(0, "127.0.0.1"), "listening");
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "knit-npm-")));
    const cases: readonly (readonly ["thread" | "process", Permission, boolean, string?])[] = [
      ["thread", "strict", false],
      ["thread", { net: true }, true],
      ["thread", { net: true }, false, "--no-npm"],
      ["process", "strict", false],
      ["process", { net: true }, false],
    ];
    try {
      for (const [kind, permission, asks, flag] of cases) {
        asked.length = 0;
        // Without a folder of packages Deno fetches what is imported.
        const flags = ["--no-config", "--node-modules-dir=none", "--unstable-worker-options", ...(flag === undefined ? [] : [flag])];
        const environment = { DENO_DIR: folder, NPM_CONFIG_REGISTRY: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/` };
        const { out, err, code } = await script("npm-import.ts", [kind, JSON.stringify(permission)], flags, environment);
        assert.equal(code, 0, err);
        const { failed, caveats } = JSON.parse(out) as { failed: string; caveats: string[] };
        assert.match(failed, /^TypeError/);
        const what = `${kind} ${JSON.stringify(permission)} ${flag}: ${failed}`;
        assert.equal(asked.length > 0, asks, what);
        assert.equal(caveats.includes("npm-imports"), asks || flag === "--no-npm", what);
      }
    } finally {
      registry.close();
      rmSync(folder, { recursive: true });
    }
  });
}
