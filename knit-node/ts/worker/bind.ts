/**
 * Finds the functions of a pool in this worker, and checks that they are the host's.
 */
import type { Binding, ExportBinding, ImportBinding, TaskBinding } from "../api/binding.ts";
import { fingerprint } from "../api/binding.ts";
import type { AbortTools } from "../api/abort.ts";
import { TaskBindingError, WorkerStartError } from "../api/errors.ts";
import { exportOf } from "../api/plain-function.ts";
import { tasksOf } from "../api/task.ts";

export type TaskFunction = (arg: unknown, tools?: AbortTools) => unknown;

/** Imports a module. */
export type Import = (href: string) => Promise<object>;

/** The functions, in the order of the bindings. */
export async function bind(bindings: readonly Binding[], load: Import): Promise<TaskFunction[]> {
  // In this order, so that what a module counts does not depend on who else is imported.
  for (const href of new Set(bindings.flatMap((binding) => (binding.kind === "task" ? [binding.href] : [])))) await importModule(href, load);
  return await Promise.all(
    bindings.map((binding) => {
      switch (binding.kind) {
        case "task":
          return nthTask(binding);
        case "native":
          throw new TaskBindingError(`"${binding.key}" is a native task: it needs worker.command, and no JavaScript runtime has it`);
        case "import":
          return imported(binding, load);
        case "export":
          return exported(binding, load);
      }
    }),
  );
}

/** Imports a module, or says which one failed, and why. */
export async function importModule(href: string, load: Import): Promise<object> {
  try {
    return await load(href);
  } catch (cause) {
    throw new WorkerStartError(`A worker cannot import ${href}: ${reasonOf(cause)}`, { cause });
  }
}

export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}

function nthTask({ key, href, index, fingerprint: expected }: TaskBinding): TaskFunction {
  const made = tasksOf(href);
  const found = made[index];
  if (found === undefined) {
    throw new TaskBindingError(
      `Task "${key}" is task() call number ${index + 1} of ${href} on the host, but in a worker that module makes ${made.length} tasks. Make tasks at the top level of a module, in the same order wherever it is imported; in a bundle, call setModuleUrl(import.meta.url) first`,
    );
  }
  if (!looksLike(found.f as Function, expected)) {
    throw new TaskBindingError(
      `Task "${key}" is another function in the worker than on the host: task() call number ${index + 1} of ${href}. Make tasks at the top level of a module, in the same order wherever it is imported`,
    );
  }
  return found.f as TaskFunction;
}

/** If it is not there, its calls say so; the other tasks of the pool do not depend on it. */
async function imported({ key, href, name }: ImportBinding, load: Import): Promise<TaskFunction> {
  let error: TaskBindingError;
  try {
    const exports = await load(href);
    const value = exportOf(exports, name);
    if (typeof value === "function") return value as TaskFunction;
    const what = Object.hasOwn(exports, name) ? `export "${name}" is no function` : `there is no export "${name}"`;
    error = new TaskBindingError(`importTask "${key}": ${what} in ${href}, ${listed(exports)}`);
  } catch (cause) {
    error = new TaskBindingError(`importTask "${key}": a worker cannot import ${href}: ${reasonOf(cause)}`);
  }
  return () => {
    throw error;
  };
}

function listed(exports: object): string {
  const names = Object.keys(exports).map((name) => JSON.stringify(name));
  return names.length === 0 ? "which exports nothing" : `which exports ${names.join(", ")}`;
}

async function exported(binding: ExportBinding, load: Import): Promise<TaskFunction> {
  const { key, hrefs, name, called } = binding;
  const described = called === "" ? "a plain function without a name" : `the plain function ${called}`;
  for (const href of hrefs) {
    const exports = await importModule(href, load);
    const names = name === null ? Object.keys(exports) : [name];
    const found = new Set(names.map((each) => exportOf(exports, each)).filter((value) => isFunction(value, binding)));
    const [first] = found;
    if (found.size === 1) return first as TaskFunction;
    if (found.size > 1) {
      throw new TaskBindingError(
        `"${key}" is ${described}, and ${found.size} exports of ${href} look the same in a worker. Move them to a module that this one imports, or use task()`,
      );
    }
    if (name !== null) throw new TaskBindingError(`"${key}" is ${described}, which ${href} exports as "${name}" on the host, but as something else in a worker`);
  }
  const where = hrefs.length === 0 ? "the modules that make the pool (they cannot be told from the stack: call setModuleUrl(import.meta.url))" : hrefs.join(", ");
  throw new TaskBindingError(
    `"${key}" is ${described}, and no export of ${where}, or of a module imported there, is that function. Export it, or make it a task: task({ f })`,
  );
}

/** Whether a function's text is the host's; empty if it cannot be compared. */
function looksLike(f: Function, expected: string): boolean {
  return expected === "" || fingerprint(f) === expected;
}

/** Whether a value is the host's function, as far as can be told from here. */
function isFunction(value: unknown, { called, fingerprint: expected }: ExportBinding): boolean {
  return typeof value === "function" && value.name === called && looksLike(value, expected);
}
