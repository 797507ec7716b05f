/**
 * Loads the engine's N-API library: the same file on every runtime.
 */
import { createRequire } from "node:module";

import { KnitError } from "../api/errors.ts";
import type { Native } from "./native.ts";

let native: Native | null = null;

/** The engine; loaded at the first use, so that importing the package costs nothing. */
export function engine(): Native {
  return (native ??= load());
}

function load(): Native {
  const file = `../../lib/knit-node.${process.platform}-${process.arch}.node`;
  try {
    return createRequire(import.meta.url)(file) as Native;
  } catch (cause) {
    throw new KnitError(
      "KNT_NO_ENGINE",
      `Cannot load the native library for ${process.platform}-${process.arch}. The package holds libraries for the platforms named in its README; from a checkout, run \`cargo xtask build\` first.`,
      { cause },
    );
  }
}
