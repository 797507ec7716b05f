/**
 * The specifiers that a module imports statically, read from its text.
 *
 * This is not a parser: strings, templates and comments are skipped, and whatever follows the words `import` or `from` as a string is taken.
 * A regular expression with a quote in it may hide what follows it. Who uses the list must not depend on it being complete or minimal.
 */

/** Distinct specifiers, in order. Types-only imports are left out. */
export function staticImports(source: string): string[] {
  const found = new Set<string>();
  // A comment, a template, a string (with what stands before it), or a word that begins a types-only import.
  const token =
    /\/\/[^\n]*|\/\*[^]*?\*\/|`(?:\\[^]|[^\\`])*`|\b(?:import|export)\s+type\s+[\w$*{][^;'"`]*?from\s*(?:'[^'\n]*'|"[^"\n]*")|(\bfrom\s*|\bimport\s*)?(?:'((?:\\.|[^\\'\n])*)'|"((?:\\.|[^\\"\n])*)")/g;
  for (const [, before, single, double] of source.matchAll(token)) {
    const specifier = single ?? double;
    if (before !== undefined && specifier !== undefined && specifier !== "") found.add(specifier);
  }
  return [...found];
}
