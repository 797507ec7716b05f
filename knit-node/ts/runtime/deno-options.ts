/**
 * Whether Deno takes permissions for worker threads here: whether it runs with `--unstable-worker-options`, or has it in its configuration.
 *
 * Nothing in Deno tells, and trying ends the process (exit code 70, no exception). So the same is read that Deno has read: its command line, and its
 * configuration file. Where that cannot be read, or is not understood, the answer is no.
 */
import { isAbsolute, pathOf, readText, workingFolder } from "./system.ts";

/** The folder that a path is in; of the root itself. */
function dirname(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function join(folder: string, name: string): string {
  return `${folder === "/" ? "" : folder}/${name}`;
}

interface DenoGlobal {
  readonly args: readonly string[];
  readonly mainModule: string;
}

const FLAG = "--unstable-worker-options";
const FILES = ["deno.json", "deno.jsonc"];

let known: boolean | null = null;

/** False on other runtimes. */
export function takesWorkerOptions(): boolean {
  return (known ??= "Deno" in globalThis && find((globalThis as unknown as { Deno: DenoGlobal }).Deno));
}

function find(deno: DenoGlobal): boolean {
  try {
    const words = readText("/proc/self/cmdline").split("\0").slice(1, -1);
    // What the script was given is its own.
    return decide(words.slice(0, words.length - deno.args.length), deno.mainModule, workingFolder());
  } catch {
    return false;
  }
}

/** The words before the script's own arguments, the main module, the working directory. */
export function decide(words: readonly string[], main: string, cwd: string): boolean {
  if (words.includes(FLAG)) return true;
  if (words.includes("--no-config")) return false;
  const given = words.findIndex((word) => /^(-c|--config)(=|$)/.test(word));
  if (given !== -1) {
    const [, value = words[given + 1] ?? ""] = /=(.*)/.exec(words[given] as string) ?? [];
    return enabledIn(isAbsolute(value) ? value : join(cwd, value)) === true;
  }
  // A script is run with the configuration around it, everything else with that around the working directory.
  const [command = ""] = words;
  const script = command === "run" || command === "serve" || /[./]/.test(command);
  const start = script && main.startsWith("file:") ? dirname(pathOf(main)) : cwd;
  return around(start);
}

/** The nearest configuration decides; that of a workspace's member says nothing about it, so the one around is asked as well. */
function around(start: string): boolean {
  for (let folder = start; ; folder = dirname(folder)) {
    for (const name of FILES) if (enabledIn(join(folder, name)) === true) return true;
    if (dirname(folder) === folder) return false;
    // The nearest one without a workspace above it: what lies further up is of others.
    if (FILES.some((name) => enabledIn(join(folder, name)) === false) && !inWorkspace(dirname(folder))) return false;
  }
}

function inWorkspace(folder: string): boolean {
  for (; ; folder = dirname(folder)) {
    if (FILES.some((name) => read(join(folder, name))?.workspace !== undefined)) return true;
    if (dirname(folder) === folder) return false;
  }
}

interface Configuration {
  readonly unstable?: unknown;
  readonly workspace?: unknown;
}

/** Undefined if there is no such file. */
function enabledIn(file: string): boolean | undefined {
  const configuration = read(file);
  if (configuration === null) return undefined;
  return Array.isArray(configuration.unstable) && configuration.unstable.includes("worker-options");
}

function read(file: string): Configuration | null {
  let text: string;
  try {
    text = readText(file);
  } catch {
    return null;
  }
  try {
    return JSON.parse(withoutComments(text)) as Configuration;
  } catch {
    return {};
  }
}

/** JSON with comments and commas at the end, as JSON. */
function withoutComments(text: string): string {
  return text.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[^]*?\*\/|,(?=\s*[}\]])/g, (_, string: string | undefined) => string ?? "");
}
