/**
 * The command that starts a worker process, on whichever runtime.
 */
import { OptionError } from "../api/errors.ts";
import type { ProcessSettings } from "../api/process-options.ts";
import { ownModules } from "./deno-modules.ts";
import { WORKER_WORD } from "./role.ts";
import { executable, thisRuntime } from "./system.ts";
import type { StarterOrder, WorkerSettings } from "./runtime.ts";

/** Flags of this process that are its own business: what it runs, and who debugs it. */
const OWN_FLAGS = /^(--inspect|--debug|-e$|--eval|-p$|--print|-i$|--interactive|-c$|--check|--test|--watch|--input-type|--build|--experimental-sea)/;
/** Those of them that take the next argument, whatever it looks like. */
const WITH_VALUE = /^(-e|--eval|-p|--print|--input-type)$/;

// Sources run as they are; the published package is compiled beside them.
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const entry = new URL(`../worker/main${EXTENSION}`, import.meta.url);
const starter = new URL(`../worker/starter${EXTENSION}`, import.meta.url);

/** Of this package's exports in package.json: what a worker's modules import of it is then the half that workers use. */
export const WORKER_CONDITION = "--conditions=knit-worker";

/** The words of the command. `program` is where the runtime really is, if that is known. */
export function workerCommand(processes: ProcessSettings, settings: WorkerSettings, program: string | null): string[] {
  const { prefix, runtime, command, named } = processes;
  const { source, execArgv, permissions } = settings;
  const kind = runtime ?? thisRuntime;
  const own = kind === thisRuntime;
  const flags = execArgv ?? (own && kind === "node" ? inherited(process.execArgv) : []);
  const script = pathOf(source ?? entry.href);
  // A wrapper may know it by another path than this side.
  const start = prefix.length > 0 && !own ? kind : own ? executable() : (program ?? kind);
  const run = [...(kind === "deno" ? ["run", ...ownModules(script)] : []), WORKER_CONDITION];
  const all = kind === "deno" ? [...run, "--allow-all"] : run;
  // The engine's word takes this one's place where memory is named.
  const word = named === null ? [WORKER_WORD] : [];
  if (permissions === null || permissions.plan === null) {
    // A program of its own finds its pool by its standard input, and its arguments are its own.
    return command !== null ? [...prefix, ...command] : [...prefix, start, ...all, ...flags, script, ...word];
  }
  const kept = flags.filter((flag) => !PERMISSION_FLAG.test(flag));
  if (!behindStarter(processes)) return command !== null ? [...command] : [start, ...run, ...kept, ...permissions.plan.flags, script, WORKER_WORD];
  // What the wrapper needs the worker may not have: so the sandbox is put on behind it.
  const order: StarterOrder = { request: permissions.request, command, run, flags: kept, script };
  return [...prefix, start, ...all, pathOf(starter.href), JSON.stringify(order)];
}

/** Whether a starter puts the sandbox on: behind a prefix, or where the worker has to connect to a name, which a sandbox would not let it. */
export function behindStarter({ prefix, named }: ProcessSettings): boolean {
  return prefix.length > 0 || named !== null;
}

/** Of Node.js and Deno; `--allow-natives-syntax` is V8's and something else. */
const PERMISSION_FLAG = /^(-A$|--(no-)?(experimental-)?permission|--allow-(?!natives)|--deny-)/;

/** Flags of the user's that would change what `permission` says. */
export function refusePermissionFlags(flags: readonly string[] | undefined): void {
  const flag = flags?.find((flag) => PERMISSION_FLAG.test(flag));
  if (flag === undefined) return;
  throw new OptionError(`createPool: workerExecArgv: ${flag} changes permissions, which is what the option permission is for; with permission: "unsafe" flags are yours`);
}

/** This process's flags for a worker thread that has permissions of its own. */
export function threadFlags(given: readonly string[] | undefined): string[] {
  return (given ?? inherited(process.execArgv)).filter((flag) => !PERMISSION_FLAG.test(flag));
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
  const needed = [executable(), pathOf(source ?? entry.href)];
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

/** A command, its environment and how it gets its memory, as the engine takes them: see `knit_sched::process::order`. */
export function order(words: readonly string[], environment: Readonly<Record<string, string | undefined>>, folder?: string, named: string | null = null): string {
  let text = folder === undefined ? "" : `D${folder}\0`;
  if (named !== null) text += `N${named}\0`;
  for (const word of words) text += `A${word}\0`;
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !CHANNELS.includes(name)) text += `E${name}=${value}\0`;
  }
  return text;
}
