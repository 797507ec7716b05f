/**
 * Where a worker process of Deno finds what is installed.
 *
 * Deno looks for its project around a program's entry, and a worker's entry is this package's. Installed where there is no project above (in pnpm's store
 * outside of the project, say), it would know no package; a flag tells it to use the folders of packages that are there.
 */
import { exists } from "./system.ts";

/** The files by which Deno knows a project. */
const PROJECT = ["deno.json", "deno.jsonc", "package.json"];

/** Flags for a worker whose entry is that script. */
export function ownModules(script: string): string[] {
  const at = script.indexOf("/node_modules/");
  if (at < 0) return [];
  for (let folder = script.slice(0, at); ; folder = folder.slice(0, folder.lastIndexOf("/"))) {
    if (PROJECT.some((name) => isThere(`${folder}/${name}`))) return [];
    if (folder === "") return ["--node-modules-dir=manual"];
  }
}

function isThere(path: string): boolean {
  try {
    return exists(path);
  } catch {
    // Deno may not look: it goes its own way.
    return true;
  }
}
