/**
 * What a pool knows of a task: its function, where workers find it, how long a call may take, whether it can be aborted.
 */
import type { AbortTools } from "./abort.ts";
import { fingerprint } from "./binding.ts";
import type { Binding } from "./binding.ts";
import type { Timeout } from "./timeout.ts";

/** What classes of tasks have, in any copy of this package: its name. */
export const TASKS: unique symbol = Symbol.for("@vixeny/knitting task");

/** A function that a pool can call. `K` tells whether its calls can be aborted. */
export class TaskDefinition<A = unknown, R = unknown, K extends boolean = boolean> {
  static readonly [TASKS] = "@vixeny/knitting";
  /** Null if only workers have it. */
  readonly f: ((arg: A, tools: AbortTools) => R) | null;
  /** The module that makes the task, or exports the function. */
  readonly href: string;
  /** Which `task()` call of the module it is, or the name of the export. */
  readonly which: number | string;
  readonly timeout: Timeout | null;
  readonly abortable: K;

  constructor(f: ((arg: A, tools: AbortTools) => R) | null, href: string, which: number | string, timeout: Timeout | null, abortable: K) {
    this.f = f;
    this.href = href;
    this.which = which;
    this.timeout = timeout;
    this.abortable = abortable;
  }

  /** How a worker finds it. */
  binding(key: string): Binding {
    const { f, href, which } = this;
    if (typeof which === "number") return { kind: "task", key, href, index: which, fingerprint: fingerprint(f as Function) };
    return { kind: "import", key, href, name: which };
  }
}
