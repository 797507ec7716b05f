/**
 * This thread's `process`, without making it.
 *
 * On Deno it comes to be when something first touches it, or a module of Node's, and that takes 6 to 60 ms: most tasks never do. What is to be done to it
 * waits until then. Deno marks that moment in an object of its own, so a task that imports a module of Node's is noticed as well as one that names
 * `process`. Where that mark is not as known here, `process` is made at once.
 */

interface Internals {
  __nodeBootstrapArgs?: unknown;
  __nodeProcessBootstrapped?: boolean;
}

interface DenoGlobal {
  readonly internal: symbol;
  readonly [internal: symbol]: Internals | undefined;
}

const MARK = "__nodeProcessBootstrapped";

/** The object that Deno marks; null where `process` is there, or nothing would tell. */
function unmarked(): Internals | null {
  const { Deno } = globalThis as unknown as { readonly Deno?: DenoGlobal };
  const internals = Deno?.[Deno.internal];
  return internals !== undefined && "__nodeBootstrapArgs" in internals && internals[MARK] === undefined ? internals : null;
}

/** Runs `task`, once: at once, or when Deno has made its `process`. */
export function onProcess(task: (process: NodeJS.Process) => void): void {
  const internals = unmarked();
  const original = Object.getOwnPropertyDescriptor(globalThis, "process");
  if (internals === null || original?.get === undefined) {
    const { process } = globalThis as { readonly process?: NodeJS.Process };
    if (process !== undefined) task(process);
    return;
  }
  const { get } = original;
  let done = false;
  const run = (process: NodeJS.Process): NodeJS.Process => {
    if (!done) {
      done = true;
      task(process);
    }
    return process;
  };
  Object.defineProperty(globalThis, "process", { ...original, get: () => run(get.call(globalThis) as NodeJS.Process) });
  const before = Object.getOwnPropertyDescriptor(internals, MARK);
  let mark: boolean | undefined = before?.value as boolean | undefined;
  Object.defineProperty(internals, MARK, {
    enumerable: before?.enumerable ?? true,
    configurable: true,
    get: () => mark,
    set(value: boolean) {
      mark = value;
      // It is being made. Who imports it runs after this.
      queueMicrotask(() => run(get.call(globalThis) as NodeJS.Process));
    },
  });
}
