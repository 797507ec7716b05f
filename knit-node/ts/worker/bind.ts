/**
 * Finds the functions of a pool in this worker, and checks that they are the host's.
 */
import type { Binding } from "../api/binding.ts";
import { fingerprint } from "../api/binding.ts";
import { TaskBindingError, WorkerStartError } from "../api/errors.ts";
import { tasksOf } from "../api/task.ts";

export type TaskFunction = (arg: unknown) => unknown;

/** The functions, in the order of the bindings. */
export async function bind(bindings: readonly Binding[]): Promise<TaskFunction[]> {
  for (const href of new Set(bindings.map((binding) => binding.href))) {
    try {
      await import(href);
    } catch (cause) {
      const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
      throw new WorkerStartError(`A worker cannot import ${href}: ${why}`, { cause });
    }
  }
  return bindings.map(find);
}

function find(binding: Binding): TaskFunction {
  const { key, href, which } = binding;
  const made = tasksOf(href);
  const found = made[which as number];
  if (found === undefined) {
    throw new TaskBindingError(
      `Task "${key}" is task() call number ${Number(which) + 1} of ${href} on the host, but in a worker that module makes ${made.length} tasks. Make tasks at the top level of a module, in the same order wherever it is imported; in a bundle, call setModuleUrl(import.meta.url) first`,
    );
  }
  if (fingerprint(found.f) !== binding.fingerprint) {
    throw new TaskBindingError(
      `Task "${key}" is another function in the worker than on the host: task() call number ${Number(which) + 1} of ${href}. Make tasks at the top level of a module, in the same order wherever it is imported`,
    );
  }
  return found.f as TaskFunction;
}
