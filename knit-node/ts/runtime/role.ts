/**
 * Whether this process is a pool's worker.
 *
 * The host puts a word behind the command that it starts: the runtimes' own options, wrappers and environments come and go, the last argument stays.
 * It says no more than that, and at which name the pool's memory is, for a process that can inherit nothing. What the worker must know lies in that memory.
 */

import { lastArgument } from "./system.ts";

/** The last argument of a worker process. */
export const WORKER_WORD = "--knit-worker";

/** Whether that is the last argument of a worker process. */
export function isWorkerWord(word: string | undefined): boolean {
  return word === WORKER_WORD || word?.startsWith(`${WORKER_WORD}=`) === true;
}

/** Whether this process was started as a pool's worker. */
export const isWorkerProcess: boolean = isWorkerWord(lastArgument());

/** Why a program that has the name of one runtime and is another is no worker of a pool that asked for the one. */
export function standIn(wanted: string, found: string, path: string): string {
  return `worker.processRuntime is "${wanted}", and the first ${wanted} in PATH is ${found}: ${path}. Deno puts such a stand-in there if there is no node, \`bun --bun\` always. Put the folder of the real one before it`;
}
