/**
 * The `debug` option: what happens, one line each on the standard error of the process.
 *
 * A topic that nobody asked for is null, so that `debug.host?.(`...`)` does not even make its text.
 */
import { variable, writeError } from "../runtime/system.ts";
import { boolean, checkOptions } from "./check.ts";

/** What `debug` may name. */
export interface DebugOption {
  /** The pool: its settings, its end, why it refuses calls. */
  readonly host?: boolean;
  /** Calls of `process.exit` and its like that were refused in workers. */
  readonly globals?: boolean;
  /** Timeouts and aborted calls. */
  readonly signals?: boolean;
  /** Modules that workers import, and how long that takes. */
  readonly imports?: boolean;
  /** Workers: started, ready, dead, replaced, ended. */
  readonly lifecycle?: boolean;
}

export type Topic = keyof DebugOption;

/** Writes a line. */
export type Line = (text: string) => void;

/** A writer for each topic that was asked for. */
export type Debug = { readonly [K in Topic]: Line | null };

const TOPICS: readonly Topic[] = ["host", "globals", "signals", "imports", "lifecycle"];

/** The topics that an option asks for, or the environment: `KNITTING_DEBUG=1`, or names with commas between them. */
export function topicsOf(given: unknown): readonly Topic[] {
  if (given === undefined) return fromEnvironment();
  if (typeof given !== "object") return boolean("createPool: debug", given, false) ? TOPICS : [];
  checkOptions("createPool: debug", given, TOPICS);
  return TOPICS.filter((topic) => boolean(`createPool: debug.${topic}`, (given as DebugOption)[topic], false));
}

function fromEnvironment(): readonly Topic[] {
  let names: string | undefined;
  try {
    names = variable("KNITTING_DEBUG");
  } catch {
    // A runtime that does not let this program see its environment.
  }
  if (names === undefined || names === "" || names === "0" || names === "false") return [];
  const named = new Set(names.split(",").map((name) => name.trim()));
  const topics = TOPICS.filter((topic) => named.has(topic));
  return topics.length === 0 ? TOPICS : topics;
}

/** Writers for some topics. `who` begins each line's text. */
export function debugFor(topics: readonly Topic[], who: string): Debug {
  const line = (topic: Topic): Line | null => (topics.includes(topic) ? (text) => write(`[knitting:${topic}] ${who} ${text}`) : null);
  return { host: line("host"), globals: line("globals"), signals: line("signals"), imports: line("imports"), lifecycle: line("lifecycle") };
}

function write(text: string): void {
  try {
    writeError(`${text.replaceAll("\n", "\\n")}\n`);
  } catch {
    // Nobody reads it.
  }
}
