/**
 * A host whose task is the attacker. Its arguments, as JSON: the kind of workers, the permission, what the attacker is told. Prints one line of JSON
 * for each attempt, then the report of who enforces what.
 */
import { fstatSync, openSync, readFileSync } from "node:fs";
import { setTimeout as later } from "node:timers/promises";

import { createPool, importTask } from "../../ts/index.ts";
import type { Permission } from "../../ts/index.ts";

interface Config {
  readonly secret: string;
  readonly project: string;
}

const [kind, permission, config] = process.argv.slice(2).map((text) => JSON.parse(text) as unknown) as ["thread" | "process", Permission | null, Config];
const replaced = `${config.project}/sub/replaced.json`;
const replace = importTask<(config: object) => string>({ href: `${config.project}/replace.mjs`, name: "replace" });
const attack = importTask<(config: object) => { name: string; got?: string; error?: string }[]>({ href: `${config.project}/all.mjs`, name: "attack" });
// What the host has open.
openSync(config.secret, "r");
const { ino, dev } = fstatSync(openSync(`${config.secret}.log`, "a"));
process.on("SIGUSR1", () => console.log(JSON.stringify({ name: "the host was sent SIGUSR1", got: "SIGUSR1" })));
process.on("SIGURG", () => console.log(JSON.stringify({ name: "the host was sent SIGURG", got: "SIGURG" })));

const pool = createPool({ worker: { runtime: kind }, ...(permission === null ? {} : { permission }) })({ attack, replace });
const print = (line: object): void => console.log(JSON.stringify(line));
for (const line of await pool.call.attack({ ...config, log: { ino, dev }, parent: process.pid })) print(line);
if (kind === "process") {
  // What comes back is that it does not work; a worker that is something else now comes back no more.
  const failed = await pool.call.replace({ ...config, replaced }).catch(() => null);
  print(failed === null ? { name: "run: replace itself", got: "another program" } : { name: "run: replace itself", error: failed });
  if (failed === null) for (const [what, got] of Object.entries(await written(replaced))) print({ name: `replaced: ${what}`, ...(got === null ? { error: "nothing" } : { got }) });
}
print({ report: pool.permissions() });
await pool.shutdown();

/** What the new program got: it writes that as soon as it is there. */
async function written(path: string): Promise<Record<string, string | null>> {
  for (let tries = 0; ; tries++) {
    try {
      return JSON.parse(readFileSync(path, "utf8")) as Record<string, string | null>;
    } catch (error) {
      if (tries > 200) throw error;
      await later(50);
    }
  }
}
