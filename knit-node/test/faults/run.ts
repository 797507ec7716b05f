/**
 * Worker processes and their hosts, killed with SIGKILL at random moments under load, from a seed. Every promise settles once, with its answer or with
 * `WorkerCrashedError`; what a dead host had started ends with it; at the end no process, descriptor or name is left.
 *
 * Only workers that have answered are killed: a pool whose workers die before they serve gives up, and is right to.
 */
import assert from "node:assert/strict";

import { collect } from "../fixtures/collect.ts";
import { killHost } from "./hosts.ts";
import { generator } from "../random.ts";
import type { Random } from "../random.ts";
import { Load, makePool } from "./load.ts";
import { childrenOf, descriptors, names } from "./processes.ts";
import { sleep, until } from "./wait.ts";

export interface Faults {
  readonly calls: number;
  /** Calls that ended with their worker's death. */
  readonly crashed: number;
  readonly killedWorkers: number;
  readonly killedHosts: number;
}

/** What there is more than before. */
export interface Left {
  readonly processes: number;
  readonly descriptors: number;
  readonly names: number;
}

/** Kills one of the pool's workers; 0 if none serves at the moment. */
function killWorker({ serving }: Load, random: Random): number {
  const living = childrenOf(process.pid).filter((pid) => serving.has(pid));
  const pid = living[Math.floor(random() * living.length)];
  if (pid === undefined) return 0;
  process.kill(pid, "SIGKILL");
  // Its number may be given to another process.
  serving.delete(pid);
  return 1;
}

/** Kills under load until the time is over; at least one worker and one host. */
async function underLoad(seconds: number, seed: number): Promise<Faults> {
  const pool = makePool();
  const load = new Load(pool, generator(seed));
  const [workers, hosts] = [generator(seed + 1), generator(seed + 2)];
  const end = performance.now() + seconds * 1000;
  let [killedWorkers, killedHosts, killers] = [0, 0, 2];
  const killWorkers = async (): Promise<void> => {
    while (performance.now() < end || killedWorkers === 0) {
      await sleep(50 + workers() * 300);
      killedWorkers += killWorker(load, workers);
    }
    killers--;
  };
  const killHosts = async (): Promise<void> => {
    while (performance.now() < end || killedHosts === 0) {
      await killHost(hosts);
      killedHosts++;
    }
    killers--;
  };
  const work = async (): Promise<void> => {
    while (killers > 0) await load.batch();
  };
  await Promise.all([work(), killWorkers(), killHosts()]);
  assert.equal(await pool.call.echo(seed), seed);
  await pool.shutdown();
  return { calls: load.calls, crashed: load.crashed, killedWorkers, killedHosts };
}

/** What is opened once and for all is opened here. */
async function warmUp(random: Random): Promise<void> {
  const pool = makePool();
  await new Load(pool, random).batch();
  await pool.shutdown();
  await killHost(random);
}

/** Runs for so long; fails at the first thing that is not as promised. */
export async function faults(seconds: number, seed: number): Promise<Faults & { readonly left: Left }> {
  await warmUp(generator(seed));
  const memory = (): string[] => descriptors().filter((what) => what.includes("memfd:knit"));
  await until(() => `a pool's memory is left: ${memory().join()}`, async () => (await collect(), memory().length === 0));
  const [opened, named] = [descriptors(), names()];

  const outcome = await underLoad(seconds, seed);

  const left = (): Left => ({
    processes: childrenOf(process.pid).length,
    // Fewer: the runtime has closed some of its own.
    descriptors: Math.max(0, descriptors().length - opened.length),
    names: names().filter((name) => !named.includes(name)).length,
  });
  assert.equal(left().processes, 0, "processes are left");
  // The last host may have been killed between a name and the worker that would have removed it: then the next pool with names does, some seconds later.
  const remove = async (): Promise<void> => {
    const pool = makePool("named");
    await pool.call.echo(seed);
    await pool.shutdown();
  };
  // What a collector has yet to close goes, and so do names of other programs.
  const nothing = async (): Promise<boolean> => {
    if (left().names > 0) await remove();
    await collect();
    return Object.values(left()).every((count) => count === 0);
  };
  await until(() => `left: ${JSON.stringify(left())}; before: ${opened.join()}; now: ${descriptors().join()}; ${names().join()}`, nothing);
  return { ...outcome, left: left() };
}
