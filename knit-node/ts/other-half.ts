/**
 * The half of this package that makes pools, for those who imported the other one (`worker-index.ts`, `bun-index.ts`).
 */
import type * as Modules from "node:module";

import { builtin } from "./runtime/system.ts";

// Sources run as they are; the published package is compiled beside them.
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** Loads it, at once. Only where the package is as it was built: beside a bundle that has taken this module in, that name is somebody else's. */
export function loadOtherHalf(): void {
  builtin<typeof Modules>("node:module").createRequire(import.meta.url)(`./index${EXTENSION}`);
}
