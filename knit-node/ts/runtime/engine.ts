/**
 * Loads the engine's library: the same file on every runtime.
 */
import { KnitError } from "../api/errors.ts";
import type { Native } from "./native.ts";

let native: Native | null = null;

/** The engine; loaded at the first use, so that importing the package costs nothing. */
export function engine(): Native {
  return (native ??= load());
}

/** Where the library is. */
export function libraryPath(): string {
  const url = new URL(`../../lib/knit-node.${process.platform}-${process.arch}.node`, import.meta.url);
  if (url.protocol !== "file:") {
    throw new KnitError(
      "KNT_NO_ENGINE",
      `The package was loaded from ${url.origin}, and a native library must be a file: install it with \`deno add npm:@vixeny/knitting\`, which puts it on the disk`,
    );
  }
  return decodeURIComponent(url.pathname);
}

function load(): Native {
  const path = libraryPath();
  const loaded = { exports: {} };
  try {
    // Not `require`: Deno would ask for leave to read as well.
    process.dlopen(loaded, path);
  } catch (cause) {
    throw refused(cause, path) ?? missing(cause);
  }
  return loaded.exports as Native;
}

/** Deno's permission for the library lacks. */
function refused(cause: unknown, path: string): KnitError | null {
  if ((cause as { name?: unknown }).name !== "NotCapable") return null;
  return new KnitError("KNT_NO_ENGINE", `Deno may not load this package's native library: run with --allow-ffi=${path}`, { cause });
}

function missing(cause: unknown): KnitError {
  return new KnitError(
    "KNT_NO_ENGINE",
    `Cannot load the native library for ${process.platform}-${process.arch}. The package holds libraries for the platforms named in its README; from a checkout, run \`cargo xtask build\` first.`,
    { cause },
  );
}
