/**
 * Hosts that are killed, while they start and under load.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { generator } from "../random.ts";
import type { Random } from "../random.ts";
import { makePool, Load } from "./load.ts";
import type { Way } from "./load.ts";
import { followersOf } from "./processes.ts";
import { sleep, until } from "./wait.ts";

/** Milliseconds within which one is killed, after it has begun to start or to serve. */
const WITHIN_MS = 150;

/** Loads a pool until this process is killed. */
export async function serveUntilKilled(way: Way, seed: number): Promise<never> {
  const pool = makePool(way);
  const load = new Load(pool, generator(seed));
  await pool.call.echo(0);
  console.log("serves");
  for (;;) await load.batch();
}

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

/** Starts a host, kills it at a random moment, and waits until its workers have ended. */
export async function killHost(random: Random): Promise<void> {
  const run = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const way: Way = random() < 0.5 ? "inherit" : "named";
  const args = [...run, main, "host", way, String(Math.floor(random() * 2 ** 31))];
  // Detached: it and its workers are a session of their own, which outlives it in the workers.
  const host = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  const session = host.pid as number;
  const ended = once(host, "exit");
  if (random() < 0.5) await Promise.race([once(host.stdout, "data"), ended]);
  await sleep(random() * WITHIN_MS);
  host.kill("SIGKILL");
  await ended;
  host.stdout.destroy();
  await until(() => `processes of a host that was killed live: ${followersOf(session).join()}`, () => followersOf(session).length === 0);
}
