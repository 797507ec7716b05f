/**
 * What Node.js's own permission model (`node --permission`) keeps a pool from. Leave to load the engine is `engine.ts`'s affair.
 *
 * Worker processes of the host's own runtime need no flag: the engine starts them, and native code is not held by that model.
 */
import { WorkerStartError } from "../api/errors.ts";

/** What is refused, by Node.js's name for it, and the flag that allows it. */
const LACKS: Readonly<Record<string, readonly [what: string, flag: string]>> = {
  WorkerThreads: ["Node.js may start no worker threads", "--allow-worker"],
  ChildProcess: ["Node.js may start no programs, so it cannot ask the workers' runtime (worker.processRuntime) for its version, which permissions depend on", "--allow-child-process"],
};

/** The error for what Node.js refuses, naming the flag that lacks; any other error as it is. */
export function refusedByNode(cause: unknown): unknown {
  const { code, permission } = (cause ?? {}) as { readonly code?: unknown; readonly permission?: unknown };
  const lacks = code === "ERR_ACCESS_DENIED" ? LACKS[String(permission)] : undefined;
  if (lacks === undefined) return cause;
  return new WorkerStartError(`${lacks[0]}: add ${lacks[1]} where it runs with --permission`, { cause });
}
