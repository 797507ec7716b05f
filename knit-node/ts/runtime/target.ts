/**
 * For whom the permissions of a pool are planned: the workers' runtime, its version, and the files that they cannot do without.
 */
import type * as ChildProcess from "node:child_process";

import { WorkerStartError } from "../api/errors.ts";
import type { ProcessRuntime, ProcessSettings } from "../api/process-options.ts";
import type { Target } from "../host/permissions.ts";
import { behindStarter } from "./command.ts";
import { takesWorkerOptions } from "./deno-options.ts";
import { libraryPath } from "./engine.ts";
import { refusedByNode } from "./node-permissions.ts";
import { standIn } from "./role.ts";
import { builtin, executable, exists, pathOf, runtimeVersion, thisRuntime, variable } from "./system.ts";

function path(href: string): string | null {
  return href.startsWith("file:") ? pathOf(href) : null;
}

/** The files that are there, of some modules. */
function paths(hrefs: Iterable<string>): string[] {
  const found = [...new Set(hrefs)].flatMap((href) => path(href) ?? []);
  // What is not there is an error of its own, in the worker.
  return found.filter((file) => mayExist(file));
}

function mayExist(file: string): boolean {
  try {
    return exists(file);
  } catch {
    // Deno may not look; the engine can.
    return true;
  }
}

/** Workers of these settings that load these modules. */
export function targetOf(settings: ProcessSettings | null, hrefs: Iterable<string>): Target {
  // None if it is no folder.
  const own = path(new URL("../..", import.meta.url).href);
  const common = {
    package: own === null ? [] : [own],
    modules: paths(hrefs),
    library: libraryPath(),
    workerOptions: false,
    inPlace: settings !== null && behindStarter(settings),
  };
  if (settings === null) {
    return { ...common, runtime: thisRuntime, version: version(runtimeVersion()), kind: "thread", executable: null, workerOptions: takesWorkerOptions() };
  }
  if (settings.command !== null) {
    const [program] = settings.command;
    return { ...common, runtime: "native", version: [0, 0], kind: "process", executable: search(program), package: [], library: null };
  }
  const program = programOf(settings.runtime ?? thisRuntime);
  return { ...common, runtime: settings.runtime ?? thisRuntime, version: program.version, kind: "process", executable: program.path };
}

function version(text: string | undefined): [number, number] {
  const [major = 0, minor = 0] = (text ?? "").split(".").map(Number);
  return [major, minor];
}

interface Program {
  readonly path: string | null;
  readonly version: [number, number];
}

const programs = new Map<string, Program>();

/** Where a runtime's program really is, past links and scripts that start it, and its version. Another runtime than this one must be asked, once. Throws if what has its name is another one. */
export function programOf(runtime: ProcessRuntime): Program {
  if (runtime === thisRuntime) return { path: executable(), version: version(runtimeVersion()) };
  const key = `${runtime}\0${variable("PATH")}`;
  let program = programs.get(key);
  if (program === undefined) programs.set(key, (program = ask(runtime)));
  return program;
}

function ask(runtime: ProcessRuntime): Program {
  const { spawnSync } = builtin<typeof ChildProcess>("node:child_process");
  const kind = `"Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node"`;
  const say = `console.log(JSON.stringify([${kind}, process.execPath, process.versions.${runtime}]))`;
  const run = runtime === "deno" ? ["eval", "--no-lock", say] : ["-e", say];
  let answer: ChildProcess.SpawnSyncReturns<string>;
  try {
    answer = spawnSync(runtime, run, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch (error) {
    throw refusedByNode(error);
  }
  const { status, stdout } = answer;
  // Who starts it says why it cannot be.
  if (status !== 0) return { path: null, version: [0, 0] };
  const [found, path, text] = JSON.parse(stdout.trim().split("\n").at(-1) ?? "[]") as [string, string, string];
  if (found !== runtime) throw new WorkerStartError(standIn(runtime, found, path));
  return { path, version: version(text) };
}

/** A command's file, as a shell finds it. */
function search(command: string): string | null {
  if (command.includes("/")) return exists(command) ? command : null;
  const folders = (variable("PATH") ?? "").split(":");
  return folders.map((folder) => `${folder}/${command}`).find((file) => exists(file)) ?? null;
}
