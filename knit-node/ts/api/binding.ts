/**
 * Which function a task is, said so that a worker finds the same one: never by sorting names.
 *
 * A task is the n-th `task()` call of a module; a plain function is an export of a module. The fingerprint is compared when the
 * worker starts, so that two sides that count differently never run the wrong function. Between different runtimes it cannot be: each strips
 * types in its own way.
 */

/** One function of a pool. */
export type Binding = TaskBinding | ImportBinding | ExportBinding | NativeBinding;

interface Named {
  /** Its name in this pool, for messages. */
  readonly key: string;
}

/** The n-th `task()` call of a module, from 0. */
export interface TaskBinding extends Named {
  readonly kind: "task";
  readonly href: string;
  readonly index: number;
  readonly fingerprint: string;
}

/** An export that only workers know: `importTask()`. If it is missing, its calls reject, and no others. */
export interface ImportBinding extends Named {
  readonly kind: "import";
  readonly href: string;
  readonly name: string;
}

/** A plain function: the export of one of these modules that is that very function. */
export interface ExportBinding extends Named {
  readonly kind: "export";
  /** Where to look, in this order. */
  readonly hrefs: readonly string[];
  /** The export's name, if the host knows it; else the exports are searched by their text. */
  readonly name: string | null;
  /** The function's own name. */
  readonly called: string;
  readonly fingerprint: string;
}

/** A task that the workers' program has under a name. */
export interface NativeBinding extends Named {
  readonly kind: "native";
  readonly name: string;
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
