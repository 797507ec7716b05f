/**
 * Loads the engine: one library with two interfaces, N-API for Node.js and worker processes of Deno, C for the rest of Deno and for Bun.
 */
import { KnitError } from "../api/errors.ts";
import { bunNative } from "./ffi/bun.ts";
import { denoNative } from "./ffi/deno.ts";
import type { ForeignNative } from "./ffi/library.ts";
import type { Native, WebNative } from "./native.ts";
import { openNapi } from "./ffi/deno-napi.ts";
import { isWorkerProcess } from "./role.ts";
import { machine } from "./system.ts";

let native: Native | null = null;
const isDenoProcess = "Deno" in globalThis && isWorkerProcess && !("DedicatedWorkerGlobalScope" in globalThis);

/** The engine; loaded at the first use, so that importing the package costs nothing. */
export function engine(): Native {
  return (native ??= load());
}

/** The engine where workers are the web's. */
export function webEngine(): WebNative {
  return engine() as WebNative;
}

function load(): Native {
  // A worker process of Deno has N-API's bell and memory anyway, and starts for itself alone: what it would gain by the C interface later takes longer to open now.
  if (isDenoProcess) return napi() as unknown as Native;
  if ("Deno" in globalThis) return opened((path) => denoNative(path, napi));
  return "Bun" in globalThis ? opened((path) => bunNative(path, napi())) : (napi() as unknown as Native);
}

/** Where the library is. */
export function libraryPath(): string {
  const url = new URL(`../../lib/knit-node.${machine()}.node`, import.meta.url);
  if (url.protocol !== "file:") {
    throw new KnitError(
      "KNT_NO_ENGINE",
      `The package was loaded from ${url.origin}, and a native library must be a file: install it with \`deno add npm:@vixeny/knitting\`, which puts it on the disk`,
    );
  }
  return decodeURIComponent(url.pathname);
}

let foreign: ForeignNative | null = null;

/** The library through N-API; loaded once, since the leave to load it may go. */
function napi(): ForeignNative {
  return (foreign ??= opened((path) => {
    const opened = "Deno" in globalThis ? openNapi(path) : null;
    if (opened !== null) return opened as ForeignNative;
    const loaded = { exports: {} };
    // Not `require`: Deno would ask for leave to read as well.
    process.dlopen(loaded, path);
    return loaded.exports as ForeignNative;
  }));
}

function opened<T>(open: (path: string) => T): T {
  const path = libraryPath();
  try {
    return open(path);
  } catch (cause) {
    if (cause instanceof KnitError) throw cause;
    throw refused(cause, path) ?? missing(cause, path);
  }
}

/** Deno's permission for the library lacks. */
function refused(cause: unknown, path: string): KnitError | null {
  if ((cause as { name?: unknown }).name !== "NotCapable") return null;
  return new KnitError("KNT_NO_ENGINE", `Deno may not load this package's native library: run with --allow-ffi=${path}`, { cause });
}

/** It is not there, or not to be loaded. */
function missing(cause: unknown, path: string): KnitError {
  const { code, message } = (cause ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  const advice =
    code === "ERR_DLOPEN_DISABLED"
      ? "Node.js runs without addons: add --allow-addons where it runs with --permission, leave out --no-addons elsewhere"
      : "The package holds libraries for the platforms named in its README, beside its modules: a bundler must leave @vixeny/knitting out (as external). In a checkout, run `cargo xtask build` first";
  return new KnitError("KNT_NO_ENGINE", `Cannot load the native library ${path}: ${String(message).replace(/\.$/, "")}. ${advice}.`, { cause });
}
