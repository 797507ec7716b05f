/**
 * Task code that tries to get out of its pool, by every way that we know, with the default and with "strict".
 *
 * Every attempt is denied, or is what a caveat of `pool.permissions()` says, or is of a key that it says nobody enforces. A caveat that no attempt shows is
 * wrong, too. What a worker is for goes on working. Each case prints a line for the table of `cargo xtask test`.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import type { Permission, PermissionKey, PermissionReport } from "../../ts/index.ts";
import { runtime, skip } from "../pool/support.ts";
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
  "write: promises": ["async-from-threads"],
  "env: the host's flags": ["node-options-visible"],
  "read: a descriptor that the host has open": ["shared-descriptors"],
  "net: look a name up": ["dns-from-threads"],
  "workers: start one": ["workers-inside", "workers-by-guard"],
  "workers: start one by node:worker_threads": ["workers-by-guard"],
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

/** What only native code, or a registry, can show. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "self-replace": "knit-perm/tests/native.rs",
  "native-code": "knit-perm/tests/threads.rs: other threads of the process are not held",
  "npm-imports": "needs the network",
};

/** Which of a thread's helpers does the work is Deno's choice, and which were there before: it shows these in most runs, not in all. */
const MOSTLY = ["async-from-threads", "shared-descriptors"];

/** Which key an attempt is about, by the word that it begins with. */
const KEY: Readonly<Record<string, PermissionKey>> = {
  read: "read",
  write: "write",
  net: "net",
  run: "run",
  native: "ffi",
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
}

const CASES: Readonly<Record<typeof runtime, readonly Case[]>> = {
  node: [
    { kind: "process", permission: "strict" },
    { kind: "thread", permission: "strict" },
  ],
  deno: [
    { kind: "process", permission: "strict" },
    { kind: "thread", permission: "strict", flags: ["--unstable-worker-options"] },
    { kind: "thread", permission: null, named: "thread without --unstable-worker-options", spare: HARMFUL },
  ],
  bun: [
    { kind: "process", permission: "strict" },
    { kind: "thread", permission: null, spare: HARMFUL },
  ],
};

for (const { kind, permission, flags = [], spare = [], named = kind } of CASES[runtime]) {
  test(`task code gets out of a ${named} in no other way than pool.permissions() says`, async (t) => {
    if (process.platform !== "linux") return skip(t, "the sandbox is for Linux");
    const { config, leave } = await enter();
    const { lines, report } = await attack(config, kind, permission, flags, spare);
    const seen = await leave();
    const { attempts, denied, works, shown, wrong } = judge(lines, report);
    const nobody = (key: PermissionKey): boolean => report.keys[key].strength === "weak";
    for (const arrival of seen.arrived) if (!nobody("net")) wrong.push(`arrived: ${arrival}`);
    if (named !== kind) for (const id of MOSTLY) wrong.splice(0, wrong.length, ...wrong.filter((text) => text !== `no attempt shows the caveat ${id}`));
    for (const what of seen.touched) if (!nobody("write")) wrong.push(`changed outside: ${what}`);
    assert.deepEqual(wrong, []);
    assert.ok(attempts > 80 && works > 10, `${attempts} attempts, ${works} uses`);
    const version = process.versions[runtime] as string;
    console.log(`escape, ${runtime} ${version} ${named}: ${attempts} attempts, ${denied} denied, ${attempts - denied} documented (${[...shown].sort().join(" ")}); ${works} uses work`);
  });
}

function judge(lines: readonly Line[], report: PermissionReport) {
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
      else wrong.push(`not denied: ${said}`);
    }
  }
  for (const id of documented) if (!shown.has(id) && !Object.hasOwn(ELSEWHERE, id)) wrong.push(`no attempt shows the caveat ${id}`);
  return { attempts, denied, works, shown, wrong };
}
