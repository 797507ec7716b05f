/**
 * Checks of what users pass: an unknown option is an error that names the nearest known one, a bad value is one that says what is taken.
 */
import { OptionError } from "./errors.ts";

/** The longest delay that timers of every runtime take. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/** Fails unless `options` is an object that has no other keys than the known ones. */
export function checkOptions(where: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw new OptionError(`${where} takes an object of options, not ${show(options)}`);
  if (Array.isArray(options)) throw new OptionError(`${where} takes an object of options, not an array`);
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    // Half of a name is meant as that name, however much is missing.
    const begins = known.filter((name) => name.toLowerCase().startsWith(key.toLowerCase()));
    const [nearest] = [...(begins.length > 0 ? begins : known)].sort((a, b) => distance(key, a) - distance(key, b));
    throw new OptionError(`${where} has no option ${JSON.stringify(key)}: did you mean ${JSON.stringify(nearest)}?`);
  }
}

export function integer(name: string, value: unknown, fallback: number, least: number, most: number): number {
  if (value === undefined) return fallback;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw new OptionError(`${name} must be an integer from ${least} to ${most}, not ${show(value)}`);
  }
  return value as number;
}

export function boolean(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== "boolean") throw new OptionError(`${name} must be true or false, not ${show(value)}`);
  return value;
}

/** One of a few strings. */
export function oneOf<T extends string>(name: string, value: unknown, fallback: T, known: readonly T[]): T {
  if (value === undefined) return fallback;
  if (!known.includes(value as T)) throw new OptionError(`${name} must be one of ${known.join(", ")}, not ${show(value)}`);
  return value as T;
}

/** A time that a timer can wait. */
export function milliseconds(name: string, value: unknown, least: number): number {
  if (typeof value !== "number" || !(value >= least && value <= MAX_DELAY_MS)) {
    throw new OptionError(`${name} must be a number of milliseconds from ${least} to ${MAX_DELAY_MS}, not ${show(value)}`);
  }
  return value;
}

export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  try {
    return String(value);
  } catch {
    // An object without a prototype, for example.
    return typeof value;
  }
}

/** Levenshtein's distance, case ignored. */
function distance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[to.length];
}
