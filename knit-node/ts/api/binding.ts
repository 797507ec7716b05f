/**
 * Which function a task is, said so that a worker finds the same one: never by sorting names.
 *
 * A task is the n-th `task()` call of a module; a plain function is an export of a module. The fingerprint is compared when the
 * worker starts, so that two sides that count differently never run the wrong function.
 */

/** One function of a pool. */
export interface Binding {
  /** Its name in this pool, for messages. */
  readonly key: string;
  /** The module to import. */
  readonly href: string;
  /** Which `task()` call of the module, from 0; or the name of an export. */
  readonly which: number | string;
  /** What the function's text looks like. */
  readonly fingerprint: string;
}

/** A short name for a function's text: FNV-1a over its UTF-16 units, with its length. */
export function fingerprint(f: Function): string {
  const text = Function.prototype.toString.call(f);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return `${text.length}-${(hash >>> 0).toString(16)}`;
}
