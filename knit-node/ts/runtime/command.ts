/**
 * The command that starts a worker process, on whichever runtime.
 */
import type { ProcessRuntime, ProcessSettings } from "../api/process-options.ts";
import { WORKER_WORD } from "./role.ts";
import type { WorkerSettings } from "./runtime.ts";

/** Flags of this process that are its own business: what it runs, and who debugs it. */
const OWN_FLAGS = /^(--inspect|--debug|-e$|--eval|-p$|--print|-i$|--interactive|-c$|--check|--test|--watch|--input-type|--build|--experimental-sea)/;
/** Those of them that take the next argument, whatever it looks like. */
const WITH_VALUE = /^(-e|--eval|-p|--print|--input-type)$/;

// Sources run as they are; the published package is compiled beside them.
const entry = new URL(`../worker/main${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`, import.meta.url);

/** The runtime that this module runs on. */
export const thisRuntime: ProcessRuntime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** The words of the command. */
export function workerCommand({ prefix, runtime, command }: ProcessSettings, { source, execArgv }: WorkerSettings): string[] {
  // A program of its own finds its pool by its standard input, and its arguments are its own.
  if (command !== null) return [...prefix, ...command];
  const kind = runtime ?? thisRuntime;
  const own = kind === thisRuntime;
  const program = own ? process.execPath : kind;
  const flags = execArgv ?? (own && kind === "node" ? inherited(process.execArgv) : []);
  const script = pathOf(source ?? entry.href);
  const run = kind === "deno" ? ["run", "--allow-all"] : [];
  return [...prefix, program, ...run, ...flags, script, WORKER_WORD];
}

/** What a worker takes over of this process's flags: as a worker thread does. */
function inherited(flags: readonly string[]): string[] {
  const kept: string[] = [];
  let own = false;
  for (let i = 0; i < flags.length; i++) {
    // What does not look like a flag is the value of the one before.
    if (flags[i].startsWith("-")) own = OWN_FLAGS.test(flags[i]);
    if (!own) kept.push(flags[i]);
    else if (WITH_VALUE.test(flags[i])) i++;
  }
  return kept;
}

/** The folder that a wrapper covers with an empty one (Bubblewrap's `--tmpfs`), if the worker's runtime or its entry is in there. */
export function hiddenBy(prefix: readonly string[], source: string | null): string | null {
  const needed = [process.execPath, pathOf(source ?? entry.href)];
  const covers = (folder: string): boolean => needed.some((path) => path.startsWith(folder.endsWith("/") ? folder : `${folder}/`));
  return prefix.find((folder, at) => prefix[at - 1] === "--tmpfs" && covers(folder)) ?? null;
}

/** Files as paths: Node.js takes no URL there. */
function pathOf(href: string): string {
  const url = new URL(href);
  return url.protocol === "file:" ? decodeURIComponent(url.pathname) : href;
}

/** Variables that tell a child of Node.js about a channel that these processes do not have. */
const CHANNELS = ["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_UNIQUE_ID"];

/** A command and its environment as the engine takes them: see `knit_sched::process::command`. */
export function order(words: readonly string[], environment: Readonly<Record<string, string | undefined>>): string {
  let text = "";
  for (const word of words) text += `A${word}\0`;
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !CHANNELS.includes(name)) text += `E${name}=${value}\0`;
  }
  return text;
}
