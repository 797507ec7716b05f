/**
 * What this package asks of the system: the file system, the environment, paths.
 *
 * On Deno nothing of Node's is touched for it. The first touch of `process`, or of a module of Node's, costs 6 to 60 ms there, in each thread anew; so
 * no module of this package imports one statically, and a pool of threads gets along without (`test/runtime/deno-start.test.ts`). `builtin` is for what
 * only Node.js and Bun run, and for what is rare.
 */

interface DenoSystem {
  readonly build: { readonly os: string; readonly arch: string };
  readonly args: readonly string[];
  readonly version: { readonly deno: string };
  readonly env: { toObject(): Record<string, string>; get(name: string): string | undefined };
  readonly errors: { readonly NotFound: new () => Error };
  readonly stderr: { writeSync(bytes: Uint8Array): number };
  execPath(): string;
  cwd(): string;
  readTextFileSync(path: string): string;
  statSync(path: string): unknown;
}

interface BunSystem {
  /** The size of what is not there is 0. */
  file(path: string): { readonly size: number };
}

const { Deno, Bun } = globalThis as unknown as { readonly Deno?: DenoSystem; readonly Bun?: BunSystem };

/** The runtime that this module runs on. */
export const thisRuntime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** A module of Node's, loaded when it is asked for. */
export function builtin<T>(name: string): T {
  return process.getBuiltinModule(name) as unknown as T;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "x64", aarch64: "arm64" };

/** The machine, as `process.platform` and `process.arch` name it. */
export function machine(): string {
  if (Deno === undefined) return `${process.platform}-${process.arch}`;
  const { os, arch } = Deno.build;
  return `${os === "windows" ? "win32" : os}-${ARCHITECTURES[arch] ?? arch}`;
}

/** The version of this runtime. */
export function runtimeVersion(): string {
  if (Deno !== undefined) return Deno.version.deno;
  return process.versions["bun"] ?? process.versions.node;
}

/** The last argument of this program. */
export function lastArgument(): string | undefined {
  return (Deno === undefined ? globalThis.process?.argv : Deno.args)?.at(-1);
}

/** The program that runs this. */
export function executable(): string {
  return Deno === undefined ? process.execPath : Deno.execPath();
}

/** The environment. Throws if Deno may not tell. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return Deno === undefined ? { ...process.env } : Deno.env.toObject();
}

/** One variable. Throws if Deno may not tell. */
export function variable(name: string): string | undefined {
  return Deno === undefined ? process.env[name] : Deno.env.get(name);
}

/** Where relative paths begin. Throws if Deno may not tell. */
export function workingFolder(): string {
  return Deno === undefined ? process.cwd() : Deno.cwd();
}

/** How many threads of execution there are for this program. */
export function cores(): number {
  return Deno === undefined ? builtin<typeof import("node:os")>("node:os").availableParallelism() : navigator.hardwareConcurrency;
}

/** A file's text. */
export function readText(path: string): string {
  return Deno === undefined ? builtin<typeof import("node:fs")>("node:fs").readFileSync(path, "utf8") : Deno.readTextFileSync(path);
}

/** Whether there is a file; on Bun, one with something in it. Throws if Deno may not look. */
export function exists(path: string): boolean {
  // `node:fs` takes Bun milliseconds to load.
  if (Bun !== undefined) return Bun.file(path).size > 0;
  if (Deno === undefined) return builtin<typeof import("node:fs")>("node:fs").existsSync(path);
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === "NotCapable") throw error;
    return false;
  }
}

/** Writes to the descriptor of the standard error: a worker's own stream needs the host's event loop. */
export function writeError(text: string): void {
  if (Deno === undefined) builtin<typeof import("node:fs")>("node:fs").writeSync(2, text);
  else Deno.stderr.writeSync(new TextEncoder().encode(text));
}

function onWindows(): boolean {
  return Deno === undefined ? process.platform === "win32" : Deno.build.os === "windows";
}

/** The path of a file's URL. */
export function pathOf(href: string): string {
  const path = decodeURIComponent(new URL(href).pathname);
  return onWindows() ? path.slice(1) : path;
}

/** What would be read as something else in a URL, and what Node.js escapes beside it. */
const SPECIAL = /[%\\\n\r\t?#[\]^|~]/g;

/**
 * The URL of a file, given by an absolute path. Not by `node:url`, which Bun takes a millisecond to load; and so a host finds what its workers find, whatever
 * runtimes they are.
 */
export function hrefOf(path: string): string {
  const plain = onWindows() ? `/${path.replaceAll("\\", "/")}` : path;
  return new URL(`file://${plain.replace(SPECIAL, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`)}`).href;
}

/** Whether a path does not depend on where it is read. */
export function isAbsolute(path: string): boolean {
  return path.startsWith("/") || /^[a-z]:[\\/]/i.test(path);
}
