/**
 * N-API on Deno, without its `process`.
 *
 * `process.dlopen` is the documented way. But the first touch of `process` takes 15 to 40 ms, several times as long as the library itself. What it calls in the end is an
 * operation of Deno's own, by which Deno tests N-API, too. Where that is not as known here, the documented way is taken.
 */

type Open = (path: string, global: object, buffer: unknown, report: unknown, ...hooks: (() => void)[]) => object;

interface DenoGlobal {
  readonly internal: symbol;
  readonly [internal: symbol]: { readonly core?: { readonly ops?: { readonly op_napi_open?: unknown } } } | undefined;
}

/** Loads a library; null if that is not possible in this way. Throws Deno's `NotCapable` if it may not be loaded. */
export function openNapi(path: string): object | null {
  const { Deno, reportError } = globalThis as unknown as { readonly Deno: DenoGlobal; readonly reportError: unknown };
  const open = Deno[Deno.internal]?.core?.ops?.op_napi_open;
  if (typeof open !== "function") return null;
  const hook = (): void => {};
  try {
    return (open as Open)(path, globalThis, makeBuffer, reportError, hook, hook, hook, hook);
  } catch (error) {
    if (error instanceof Error && error.name === "NotCapable") throw error;
    return null;
  }
}

/** For functions that make a `Buffer`, of which the library has none. */
function makeBuffer(...args: readonly [ArrayBuffer, number, number]): object {
  return Buffer.from(...args);
}
