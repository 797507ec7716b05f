/**
 * Tasks of programs that are no JavaScript: `worker.command`.
 */
import type { Binding } from "./binding.ts";
import { show } from "./check.ts";
import { TaskDefinition } from "./definition.ts";
import { OptionError } from "./errors.ts";
import type { Argument } from "./task.ts";

/** A task that a program has under a name. */
export class NativeTask<A = unknown, R = unknown> extends TaskDefinition<A, R, false> {
  constructor(name: string) {
    super(null, "", name, null, false);
  }

  override binding(key: string): Binding {
    return { kind: "native", key, name: String(this.which) };
  }
}

/**
 * Names a task of the program that `worker.command` starts. Its signature is declared here; nothing can check it against the program.
 *
 * ```ts
 * const sum = nativeTask<(range: { from: number; to: number }) => { total: number }>("sum");
 * const pool = createPool({ worker: { runtime: "process", command: ["./my-worker"] } })({ sum });
 * ```
 */
export function nativeTask<F extends (arg: never) => unknown>(name: string): NativeTask<Argument<F>, ReturnType<F>> {
  if (typeof name !== "string" || name === "") throw new OptionError(`nativeTask(name): name must be that of a task of the program, not ${show(name)}`);
  return new NativeTask(name);
}
