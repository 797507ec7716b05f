/**
 * Whether this worker ends because nothing is left that it could wait for, in the middle of its start: a top-level await, or the bootstrap function, waits for what
 * never comes.
 *
 * A runtime ends such a worker as if it had done its work. So what is being waited for is kept here, and told as the worker's last words: whoever starts anew would
 * find the same. Threads of Deno never end by themselves (the host says so when it has waited for long: `host/slow-start.ts`); its processes say it of a
 * top-level await in their own words, with the line.
 */

interface WebEvents {
  addEventListener(type: string, listener: () => void, options: object): void;
}

const waits = new Map<object, string>();

/** Waits for `work`; `what` says what for, as the begin of a sentence. */
export async function during<T>(what: string, work: () => T): Promise<Awaited<T>> {
  const key = {};
  waits.set(key, what);
  try {
    return await work();
  } finally {
    waits.delete(key);
  }
}

/** To be called before anything of the user's is loaded. `tell` hears it once, in the last moments of this worker: what it starts is not waited for. */
export function whenUnfinished(tell: (message: string) => void): void {
  const look = (): void => {
    const [what] = waits.values();
    if (what === undefined) return;
    tell(`${what} and cannot end that: nothing is left that it could wait for. Does an await there, or at the top level of a module that it imports, wait for what never comes?`);
  };
  if ("Deno" in globalThis) {
    // Not of `process`, which may not have been made, and is not for this.
    (globalThis as unknown as WebEvents).addEventListener("unload", look, { once: true });
    return;
  }
  // Not of an error, or told to: that is said elsewhere. What listens to the first event may find more to do, so only the second is the end.
  let idle = false;
  process.on("beforeExit", () => (idle = true));
  process.once("exit", () => idle && look());
}
