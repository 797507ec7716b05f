/**
 * Whether this process is a pool's worker.
 *
 * The host puts a word behind the command that it starts: the runtimes' own options, wrappers and environments come and go, the last argument stays.
 * It says no more than that. What the worker must know lies in the pool's memory.
 */

import { lastArgument } from "./system.ts";

/** The last argument of a worker process. */
export const WORKER_WORD = "--knit-worker";

/** Whether this process was started as a pool's worker. */
export const isWorkerProcess: boolean = lastArgument() === WORKER_WORD;
