/**
 * Which arguments are awaited: native promises. A revoked proxy refuses even this question; the codec says of it what is to be said.
 */
export function isPromise(value: object | null): value is Promise<unknown> {
  try {
    return value instanceof Promise;
  } catch {
    return false;
  }
}
