/**
 * What the tests of permissions share: a field to attack, and a host in it.
 */
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { Permission, PermissionReport } from "../../ts/index.ts";
import { GUARD_MS, runtime, within } from "../pool/support.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const NODE = here("../../../node_modules/node24/bin/node");

/** What an attacker is told. */
export interface Config {
  readonly project: string;
  readonly home: string;
  readonly secret: string;
  readonly outside: string;
}

export interface Line {
  readonly name: string;
  readonly got?: string;
  readonly error?: string;
}

/** What the field has seen. */
export interface Seen {
  readonly arrived: readonly string[];
  readonly touched: readonly string[];
}

/** A field, until `leave`. */
export async function enter(): Promise<{ config: Config; leave: () => Promise<Seen> }> {
  const field = spawn(NODE, ["--no-warnings", here("./field.mjs")], { env: clean() });
  field.stderr.on("data", (text: Buffer) => process.stderr.write(text));
  const lines = createInterface({ input: field.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse((await within(lines.next(), "a field")).value as string);
  const config = (await next()) as Config;
  return {
    config,
    leave: async () => {
      field.stdin.end();
      return (await next()) as Seen;
    },
  };
}

function clean(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, KNIT_TEST_WORKERS: ___, NO_COLOR: ____, ...env } = process.env;
  return env;
}

export interface Attack {
  readonly lines: readonly Line[];
  readonly report: PermissionReport;
}

/** What Deno, and Node.js since 26, deny by never answering: that cannot be told from an answer that is late, so these are not waited for as long as others. */
const SILENT: readonly string[] = { deno: ["net: UDP", "net: listen"], node: ["net: listen"], bun: [] }[runtime];

/** Lets the attacker's task run in a pool, from the field's project. */
export async function attack(config: Config, kind: "thread" | "process", permission: Permission | null, flags: readonly string[], spare: readonly string[]): Promise<Attack> {
  const run = runtime === "deno" ? ["run", "-A", "--no-check", "--no-lock"] : [];
  const args = [kind, permission, { ...config, spare, patience: 20_000, silent: SILENT }].map((value) => JSON.stringify(value));
  const env = { ...clean(), HOME: config.home, HOST_SECRET: "the secret of the host", NODE_OPTIONS: "--no-warnings", NO_COLOR: "1" };
  const child = spawn(process.execPath, [...run, ...flags, here("./host.ts"), ...args], { cwd: config.project, env }) as ChildProcessWithoutNullStreams;
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const timer = setTimeout(() => child.kill("SIGKILL"), 2 * GUARD_MS);
  const code = await ended;
  clearTimeout(timer);
  const lines = out.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Line & { report?: PermissionReport });
  const report = lines.find((line) => line.report !== undefined)?.report;
  if (code !== 0 || report === undefined) throw new Error(`the attacker's host ended with ${code}: ${out.slice(-2000)}\n${err.slice(-2000)}`);
  return { lines: lines.filter((line) => line.report === undefined), report };
}
