/**
 * Says so, once a pool, when calls have waited for long while a worker starts.
 *
 * From outside a slow start cannot be told from one that never ends: a module may wait for a network, or for what never comes while a timer keeps its event loop alive; threads of Deno do
 * not even end when nothing is left to wait for. So nobody is ended for it, and no call is rejected: whoever reads the line decides, and a call's timeout, its signal and `shutdown()`
 * work meanwhile.
 *
 * One timer, made when calls first wait for a start and gone when all workers serve. It keeps no process alive.
 */
import type { Binding } from "../api/binding.ts";
import type { Settings } from "../api/options.ts";
import { inAWhile } from "../runtime/timer.ts";

/** Milliseconds for which calls wait in silence. */
const LONG_MS = 10_000;

/** What is to be known of a pool's workers. */
export interface Starts {
  /** Those that do not serve yet, by number, each life as an object of its own. */
  starting(): ReadonlyMap<number, object>;
  /** How many calls are open. */
  open(): number;
  /** What they load. */
  loads(): readonly string[];
}

export class SlowStart {
  readonly #starts: Starts;
  #cancel: (() => void) | null = null;
  #told = false;

  constructor(starts: Starts) {
    this.#starts = starts;
  }

  /** Calls wait, and some worker does not serve yet. */
  watch(): void {
    if (this.#cancel !== null || this.#told) return;
    const before = this.#starts.starting();
    this.#cancel = inAWhile(LONG_MS, () => {
      this.#cancel = null;
      this.#look(before);
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #look(before: ReadonlyMap<number, object>): void {
    const starting = this.#starts.starting();
    const open = this.#starts.open();
    // The next call that waits is watched for again.
    if (starting.size === 0 || open === 0) return;
    const late = [...starting].filter(([index, life]) => before.get(index) === life).map(([index]) => index);
    if (late.length === 0) return this.watch();
    this.#told = true;
    console.warn(`knitting: ${slow(late, open, this.#starts.loads())}`);
  }
}

function slow(workers: readonly number[], open: number, loads: readonly string[]): string {
  const who = workers.length === 1 ? `worker ${workers[0]} does` : `workers ${workers.join(", ")} do`;
  const calls = open === 1 ? "1 call is open" : `${open} calls are open`;
  const what = loads.length === 0 ? "worker.command has not said that it serves" : `does an await at the top level of what they load, or import, wait for what never comes (${loads.join(", ")})?`;
  return `${who} not serve yet, ${LONG_MS / 1000} s after calls began to wait for that, and ${calls}: ${what}`;
}

/** The modules that a pool's workers load; none for a program of `worker.command`. */
export function modulesOf(bindings: readonly Binding[], { source, bootstrap }: Settings): string[] {
  const hrefs = bindings.flatMap((binding) => (binding.kind === "native" ? [] : binding.kind === "export" ? binding.hrefs : [binding.href]));
  return [...new Set([source, bootstrap?.href, ...hrefs])].filter((href) => href != null);
}
