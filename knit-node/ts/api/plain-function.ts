/**
 * Plain functions in place of tasks: which export of which module is that very function?
 *
 * No runtime tells where a function is from. The modules to look in are those on the stack of the call that makes the pool, and those that they
 * import statically.
 *
 * 1. Imported modules have been evaluated, so importing them again runs nothing and shows their exports: the function itself is compared. (A package is not always found
 *    where the module found it; then another one may run.)
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
  const wanted = new Set<unknown>(functions.values());
  const found = new Map<unknown, { readonly hrefs: readonly string[]; readonly name: string }>();
  const unseen = [...roots];
  const known = new Set(roots);
  const look = async (href: string): Promise<void> => {
    // The runtimes' own modules export nothing that a worker could run for somebody else.
    if (known.has(href) || /^(node|bun):/.test(href)) return;
    known.add(href);
    const exports = await patiently(import(href) as Promise<object>);
    if (exports === null) {
      unseen.push(href);
      return;
    }
    for (const name of Object.keys(exports)) {
      const value = exportOf(exports, name);
      if (wanted.has(value) && !found.has(value)) found.set(value, { hrefs: [href], name });
    }
  };
  const imports = roots.flatMap((root) => importsOf(root).map((specifier) => ({ specifier, root })));
  for (const resolve of [fromUrl, fromImport, fromRequire]) {
    for (const { specifier, root } of imports) {
      if (found.size === wanted.size) break;
      const href = resolve(specifier, root);
      if (href !== null) await look(href);
    }
  }
  return Array.from(functions, ([key, f]) => {
    return { kind: "export", key, called: f.name, fingerprint: fingerprint(f), ...(found.get(f) ?? { hrefs: unseen, name: null }) };
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

/** What a module imports, if it can be read. */
function importsOf(href: string): string[] {
  if (!href.startsWith("file:")) return [];
  try {
    return staticImports(readText(pathOf(href)));
  } catch {
    return [];
  }
}

// Three ways to resolve what `parent` imports; each tells what the ones before it cannot, and takes longer.

/** A path or a URL, and no package's name. */
const PLACE = /^(\.{0,2}\/|\.{1,2}$|[a-z][a-z0-9+.-]+:)/i;
/** Of this package nothing is a task. */
const OURS = /^@vixeny\/knitting(\/|$)/;

function fromUrl(specifier: string, parent: string): string | null {
  if (!PLACE.test(specifier)) return null;
  return URL.canParse(specifier, parent) ? new URL(specifier, parent).href : null;
}

// The others know no parent, and Deno refuses one.
const resolveImport: (specifier: string, parent: string) => string = "Bun" in globalThis ? import.meta.resolve : (specifier) => import.meta.resolve(specifier);

/** A package, as the parent imports it on Bun, elsewhere as this package would: mostly the same, and if it is another, its functions are others, too. */
function fromImport(specifier: string, parent: string): string | null {
  if (PLACE.test(specifier) || OURS.test(specifier)) return null;
  try {
    return resolveImport(specifier, parent);
  } catch {
    return null;
  }
}

/** A package, as the parent would require it: some are another for those who import them. This takes Deno tens of milliseconds. */
function fromRequire(specifier: string, parent: string): string | null {
  if (PLACE.test(specifier) || OURS.test(specifier)) return null;
  try {
    const path = builtin<typeof Modules>("node:module").createRequire(parent).resolve(specifier);
    return path.startsWith("/") || /^[a-z]:\\/i.test(path) ? hrefOf(path) : null;
  } catch {
    return null;
  }
}

/** A module's exports, none if it cannot be imported; null if it waits for something. */
async function patiently(imported: Promise<object>): Promise<object | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), PATIENCE_MS);
  });
  try {
    return await Promise.race([imported.catch(() => ({})), late]);
  } finally {
    clearTimeout(timer);
  }
}
