/**
 * A host whose task is the attacker. Its arguments, as JSON: the kind of workers, the permission, what the attacker is told. Prints one line of JSON
 * for each attempt, then the report of who enforces what.
 */
import { openSync } from "node:fs";

import { createPool, importTask } from "../../ts/index.ts";
import type { Permission } from "../../ts/index.ts";

interface Config {
  readonly secret: string;
  readonly project: string;
}

const [kind, permission, config] = process.argv.slice(2).map((text) => JSON.parse(text) as unknown) as ["thread" | "process", Permission | null, Config];
const attack = importTask<(config: object) => { name: string; got?: string; error?: string }[]>({ href: `${config.project}/all.mjs`, name: "attack" });
// What the host has open.
openSync(config.secret, "r");
process.on("SIGUSR1", () => console.log(JSON.stringify({ name: "the host was sent SIGUSR1", got: "SIGUSR1" })));
process.on("SIGURG", () => console.log(JSON.stringify({ name: "the host was sent SIGURG", got: "SIGURG" })));

const pool = createPool({ worker: { runtime: kind }, ...(permission === null ? {} : { permission }) })({ attack });
for (const line of await pool.call.attack({ ...config, parent: process.pid })) console.log(JSON.stringify(line));
console.log(JSON.stringify({ report: pool.permissions() }));
await pool.shutdown();
