/**
 * Plain functions in place of tasks: which export of which module is that very function?
 *
 * No runtime tells where a function is from. The modules to look in are those on the stack of the call that makes the pool, and those that they
 * import statically.
 *
 * 1. Imported modules have been evaluated, so importing them again runs nothing and shows their exports: the function itself is compared.
 * 2. A module on the stack may be in the middle of its evaluation, waiting for this very pool, and importing it again would wait for its
 *    end. Its exports are compared in the worker instead, by name and text; two that look alike are an error.
 *
 * Whatever is found, the worker compares its text before it serves.
 */
import type * as Modules from "node:module";

import { builtin, hrefOf, pathOf, readText } from "../runtime/system.ts";
import { fingerprint } from "./binding.ts";
import type { ExportBinding } from "./binding.ts";
import { staticImports } from "./static-imports.ts";

type PlainFunction = (arg: never) => unknown;

/** How long an import of a module may take that has been imported before. One that takes longer waits for something. */
const PATIENCE_MS = 1000;

/** How workers find the functions. `roots` are the modules on the stack. */
export async function findExports(functions: ReadonlyMap<string, PlainFunction>, roots: readonly string[]): Promise<ExportBinding[]> {
  const modules: [href: string, exports: object][] = [];
  const unseen = [...roots];
  const known = new Set(roots);
  for (const root of roots) {
    for (const href of importsOf(root)) {
      if (known.has(href)) continue;
      known.add(href);
      const exports = await patiently(import(href) as Promise<object>);
      if (exports === null) unseen.push(href);
      else modules.push([href, exports]);
    }
  }
  return Array.from(functions, ([key, f]) => {
    const common = { kind: "export", key, called: f.name, fingerprint: fingerprint(f) } as const;
    for (const [href, exports] of modules) {
      const name = Object.keys(exports).find((key) => exportOf(exports, key) === f);
      if (name !== undefined) return { ...common, hrefs: [href], name };
    }
    return { ...common, hrefs: unseen, name: null };
  });
}

/** An export; undefined for one that is not initialised yet. */
export function exportOf(exports: object, name: string): unknown {
  try {
    return (exports as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

/** URLs of the modules that a module imports; those that cannot be read or resolved are left out. */
function importsOf(href: string): string[] {
  if (!href.startsWith("file:")) return [];
  let specifiers: string[];
  try {
    specifiers = staticImports(readText(pathOf(href)));
  } catch {
    return [];
  }
  return specifiers.flatMap((specifier) => resolve(specifier, href) ?? []);
}

function resolve(specifier: string, parent: string): string | null {
  if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, parent).href;
  // The runtime's own modules export nothing that a worker could run for somebody else.
  if (specifier.startsWith("node:")) return null;
  if (/^[a-z][a-z0-9+.-]+:/i.test(specifier)) return specifier;
  try {
    const path = builtin<typeof Modules>("node:module").createRequire(parent).resolve(specifier);
    return path.startsWith("/") || /^[a-z]:\\/i.test(path) ? hrefOf(path) : null;
  } catch {
    return null;
  }
}

async function patiently(imported: Promise<object>): Promise<object | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), PATIENCE_MS);
  });
  try {
    return await Promise.race([imported.catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}
