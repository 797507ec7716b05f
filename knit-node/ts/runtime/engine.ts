/**
 * Loads the engine: through N-API on Node.js, through the C interface on Deno and Bun.
 */
import { KnitError } from "../api/errors.ts";
import { bunNative } from "./ffi/bun.ts";
import { denoNative } from "./ffi/deno.ts";
import type { RingNative } from "./ffi/rings.ts";
import type { Native, WebNative } from "./native.ts";

/** Which of the two libraries. */
type Interface = "N-API" | "C";

let native: Native | null = null;

/** The engine; loaded at the first use, so that importing the package costs nothing. */
export function engine(): Native {
  return (native ??= onWeb ? load("C", openWeb) : napi<Native>());
}

const onWeb = "Deno" in globalThis || "Bun" in globalThis;

/** The engine where workers are the web's. */
export function webEngine(): WebNative {
  return engine() as WebNative;
}

function openWeb(path: string): WebNative {
  return "Deno" in globalThis ? denoNative(path, napi<RingNative>) : bunNative(path, napi());
}

/** Where a library is. */
export function libraryPath(which: Interface): string {
  const url = new URL(`../../lib/${fileName(which)}`, import.meta.url);
  if (url.protocol !== "file:") {
    throw new KnitError(
      "KNT_NO_ENGINE",
      `The package was loaded from ${url.origin}, and a native library must be a file: install it with \`deno add npm:@vixeny/knitting\`, which puts it on the disk`,
    );
  }
  return decodeURIComponent(url.pathname);
}

function fileName(which: Interface): string {
  const { platform, arch } = process;
  if (which === "N-API") return `knit-node.${platform}-${arch}.node`;
  const [prefix, suffix] = platform === "win32" ? ["", "dll"] : ["lib", platform === "darwin" ? "dylib" : "so"];
  return `${prefix}knit_ffi.${platform}-${arch}.${suffix}`;
}

function napi<T>(): T {
  return load("N-API", (path) => {
    const loaded = { exports: {} };
    // Not `require`: Deno would ask for leave to read as well.
    process.dlopen(loaded, path);
    return loaded.exports as T;
  });
}

function load<T>(which: Interface, open: (path: string) => T): T {
  const path = libraryPath(which);
  try {
    return open(path);
  } catch (cause) {
    if (cause instanceof KnitError) throw cause;
    throw refused(cause, path) ?? missing(cause, which);
  }
}

/** Deno's permission for the library lacks. */
function refused(cause: unknown, path: string): KnitError | null {
  if ((cause as { name?: unknown }).name !== "NotCapable") return null;
  return new KnitError("KNT_NO_ENGINE", `Deno may not load this package's native library: run with --allow-ffi=${path}`, { cause });
}

function missing(cause: unknown, which: Interface): KnitError {
  return new KnitError(
    "KNT_NO_ENGINE",
    `Cannot load the native library (${which}) for ${process.platform}-${process.arch}. The package holds libraries for the platforms named in its README; from a checkout, run \`cargo xtask build\` first.`,
    { cause },
  );
}
