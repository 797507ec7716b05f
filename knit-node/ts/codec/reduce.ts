/**
 * Errors that cannot travel as they are, because of something in them: the same error without it.
 *
 * A caller needs the message of what was thrown more than a function that somebody put on it.
 */
import { ERROR_CLASS_NAMES, ERROR_FIELDS } from "./format.ts";

/** Deepest chain of causes that is kept. */
const DEEPEST = 8;

/** An error like `error`, with what `travels` of it; null if it is none, or cannot be read. */
export function reduceError(error: unknown, travels: (value: unknown) => boolean, depth = 0): Error | null {
  try {
    if (!(error instanceof Error)) return null;
    const { name, message, stack, cause } = error;
    const reduced = new (classOf(error))(String(message));
    if (typeof name === "string" && name !== reduced.name) define(reduced, "name", name, false);
    define(reduced, "stack", typeof stack === "string" ? stack : "", false);
    const kept = travels(cause) ? cause : depth < DEEPEST ? reduceError(cause, travels, depth + 1) : null;
    if (cause !== undefined && kept !== null) define(reduced, "cause", kept, Object.prototype.propertyIsEnumerable.call(error, "cause"));
    for (const key of ["code", ...Object.keys(error).filter((each) => !ERROR_FIELDS.has(each))]) {
      const value = (error as unknown as Record<string, unknown>)[key];
      if (value !== undefined && travels(value)) define(reduced, key, value, true);
    }
    return reduced;
  } catch {
    // A proxy, or an accessor that throws.
    return null;
  }
}

type ErrorClass = new (message: string) => Error;

/** The built-in class of an error; `Error` for others, and for `AggregateError`, whose errors may be what cannot travel. */
function classOf(error: Error): ErrorClass {
  const known = ERROR_CLASS_NAMES.find((each) => each !== "AggregateError" && Object.getPrototypeOf(error) === (globalThis as unknown as Record<string, ErrorClass>)[each]?.prototype);
  return known === undefined ? Error : (globalThis as unknown as Record<string, ErrorClass>)[known]!;
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable });
}
