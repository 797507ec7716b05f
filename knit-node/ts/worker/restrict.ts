/**
 * How a worker gives up what its tasks may not do, before any module of the user's is loaded. Nothing of it can be taken back.
 *
 * The kernel's part of a process is in place before its program starts, the runtime's with its flags. Here is what can only be done from within: a thread
 * restricts itself, and the leave to load native code, which this package needed once, goes.
 */
import type * as Modules from "node:module";

import { KnitError } from "../api/errors.ts";
import type { Native } from "../runtime/native.ts";
import type { BootStep, Restriction } from "../runtime/plan.ts";
import { builtin } from "../runtime/system.ts";
import { onProcess } from "./late-process.ts";

let done = false;

/** Carries out the steps, once. The engine must have been loaded before, which is why it is given. */
export function restrict(native: Native, restriction: Restriction | null): void {
  if (restriction === null || done) return;
  done = true;
  for (const step of restriction.boot) carryOut(native, restriction, step);
}

function carryOut(native: Native, { plan }: Restriction, step: BootStep): void {
  switch (step.step) {
    case "warmSharedPool":
    case "loadLibrary":
      return;
    case "restrictThread":
      if (!native.threadRestrict(plan)) throw new KnitError("KNT_SANDBOX", "The plan of this thread's permissions has nothing for the kernel, though it says so");
      return;
    case "dropPermission":
      return dropPermission(step.name);
    case "freezeDlopen":
      return onProcess(freezeDlopen);
    case "revoke":
      return revoke(step.name, step.path);
    case "guardWorkers":
      return freeze(globalThis, "Worker", "ERR_WORKER_DISABLED", "Cannot start a worker: permission.workers does not allow it");
    case "muteConsole":
      return mute();
  }
}

function dropPermission(name: string): void {
  const { permission } = process as unknown as { readonly permission?: { drop?(name: string): void; has(name: string): boolean } };
  if (permission?.drop === undefined) return freezeDlopen(process);
  permission.drop(name);
}

function freezeDlopen(process: NodeJS.Process): void {
  freeze(process, "dlopen", "ERR_DLOPEN_DISABLED", "Cannot load native addon: permission.ffi does not allow it");
}

function freeze(holder: object, name: string, code: string, message: string): void {
  const value = function (): never {
    throw Object.assign(new Error(message), { code });
  };
  Object.defineProperty(holder, name, { value, writable: false, configurable: false, enumerable: true });
  // Deno's modules keep what they export.
  if (!("Deno" in globalThis)) builtin<typeof Modules>("node:module").syncBuiltinESMExports?.();
}

function revoke(name: string, path: string | undefined): void {
  const { Deno } = globalThis as unknown as { readonly Deno: { readonly permissions: { revokeSync(descriptor: object): unknown } } };
  Deno.permissions.revokeSync(path === undefined ? { name } : { name, path });
}

/** What goes through the console and the standard streams of JavaScript is dropped. */
function mute(): void {
  const nothing = (): void => {};
  for (const name of Object.keys(console)) {
    const method: unknown = (console as unknown as Record<string, unknown>)[name];
    if (typeof method === "function") Object.defineProperty(console, name, { value: nothing, writable: true, configurable: true });
  }
  onProcess(muteStreams);
}

function muteStreams(process: NodeJS.Process): void {
  for (const stream of [process.stdout, process.stderr]) {
    Object.defineProperty(stream, "write", {
      value: (_: unknown, encoding?: unknown, written?: unknown) => {
        const callback = typeof encoding === "function" ? encoding : written;
        if (typeof callback === "function") queueMicrotask(callback as () => void);
        return true;
      },
      writable: true,
      configurable: true,
    });
  }
}
