/**
 * `process.exit` and its like throw in a worker: a thread's end would look like a crash, and in some runtimes it would end the host.
 *
 * They are replaced before any module of the user is loaded. This keeps mistakes from harm; it does not hold somebody who wants out.
 */
import type * as Modules from "node:module";

import { ExitInWorkerError } from "../api/errors.ts";
import type { Line } from "../api/debug.ts";
import { builtin } from "../runtime/system.ts";
import { isDying, watchDeath } from "./dying.ts";
import { onProcess } from "./late-process.ts";

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Host = Record<string, unknown>;

/** Puts the guards up. `note` hears of each refusal. */
export function guardExits(note: Line | null): void {
  const { Deno } = globalThis as unknown as { readonly Deno?: Host & { pid: number; ppid: number } };
  onProcess((process) => {
    watchDeath(process);
    const host = process as unknown as Host & NodeJS.Process;
    for (const name of ["exit", "reallyExit", "abort", "execve"]) refuse(host, "process", name, note);
    refuseKill(host, "process", note);
    // Deno's modules keep what they export.
    if (Deno === undefined) builtin<typeof Modules>("node:module").syncBuiltinESMExports?.();
  });
  // Web workers', and in Deno a program's.
  refuse(globalThis as unknown as Host, "self", "close", note);
  if (Deno !== undefined) {
    refuse(Deno, "Deno", "exit", note);
    refuseKill(Deno, "Deno", note);
  }
}

function refuse(host: Host, hostName: string, name: string, note: Line | null): void {
  const original = host[name];
  if (typeof original !== "function") return;
  replace(host, name, function (this: unknown, ...args: unknown[]) {
    // Node.js itself ends a thread in this way, of what nobody has caught.
    if (isDying()) return Reflect.apply(original, host, args) as unknown;
    throw refusal(`${hostName}.${name}()`, note);
  });
}

/** Signals to other processes, and signal 0, which only asks, pass. */
function refuseKill(host: Host & { pid: number; ppid: number }, hostName: string, note: Line | null): void {
  const given = Object.getOwnPropertyDescriptor(host, "kill");
  const refusing = (): Method => {
    // Deno loads it when it is first asked for, which takes a millisecond.
    const kill = (given?.get === undefined ? host["kill"] : given.get.call(host)) as Method;
    return function (this: unknown, ...args: unknown[]) {
      const target = Number(args[0]);
      // 0 and below are groups of processes, which may hold this one. The parent may be the host.
      if ((target === host.pid || target === host.ppid || target <= 0) && args[1] !== 0) throw refusal(`${hostName}.kill(${target})`, note);
      return Reflect.apply(kill, host, args) as unknown;
    };
  };
  if (given?.get === undefined) {
    if (typeof host["kill"] === "function") replace(host, "kill", refusing());
    return;
  }
  Object.defineProperty(host, "kill", {
    get() {
      const value = refusing();
      replace(host, "kill", value);
      return value;
    },
    set: (value: Method) => replace(host, "kill", value),
    configurable: true,
    enumerable: true,
  });
}

function replace(host: Host, name: string, value: Method): void {
  // Libraries patch these themselves, so they stay writable.
  Object.defineProperty(host, name, { value, writable: true, configurable: true, enumerable: true });
}

function refusal(what: string, note: Line | null): ExitInWorkerError {
  note?.(`refused ${what}`);
  return new ExitInWorkerError(`${what} was called in a worker, which it does not end: return from the task, or throw; only the host ends workers, with shutdown()`);
}
