/**
 * `@vixeny/knitting` as Bun imports it, by its own condition in package.json: its threads can be given none. They do without the half that makes pools, as worker processes do; a program's main
 * thread loads it here, so that its first pool does not wait for it, and a thread of the user's with its first pool.
 *
 * @module
 */
import { loadOtherHalf } from "./other-half.ts";
import { isMain } from "./runtime/current.ts";
import { libraryPath } from "./runtime/engine.ts";
import { exists } from "./runtime/system.ts";

// In a bundle neither is there, and the first pool says so.
if (isMain && exists(libraryPath())) loadOtherHalf();

export * from "./worker-index.ts";
