/**
 * Which module called: read from the stack. And what a path means to that module.
 */
import { hrefOf, isAbsolute } from "../runtime/system.ts";
import { show } from "./check.ts";
import { KnitError, OptionError } from "./errors.ts";

let moduleUrl: string | null = null;

/**
 * Says which module the following `task()` calls belong to, where the stack cannot tell: in bundles and loaders that rename
 * modules. Call it with `import.meta.url`, before the tasks are made.
 */
export function setModuleUrl(url: string | URL): void {
  if (!(url instanceof URL) && !URL.canParse(url)) throw new OptionError(`setModuleUrl() takes a URL, as import.meta.url is one, not ${show(url)}`);
  moduleUrl = new URL(url).href;
}

/** The URL of the module that called `boundary`. */
export function callerUrl(boundary: Function): string {
  return moduleUrl ?? fromStack(boundary);
}

/** The URLs of the modules on the stack above `boundary`, nearest first, each once. */
export function callerUrls(boundary: Function): string[] {
  if (moduleUrl !== null) return [moduleUrl];
  const names = stack(boundary, 50).filter(isModule);
  return [...new Set(names.map(asUrl))];
}

/** The URL that `href` means to the module that called `boundary`: a URL, an absolute path, or one relative to that module. */
export function callerHref(what: string, href: unknown, boundary: Function): string {
  if (href instanceof URL) return href.href;
  if (typeof href !== "string" || href === "") throw new OptionError(`${what} must be a path or a URL, not ${JSON.stringify(href) ?? String(href)}`);
  if (isAbsolute(href)) return hrefOf(href);
  if (SCHEME.test(href)) {
    if (!URL.canParse(href)) throw new OptionError(`${what} ${JSON.stringify(href)} is no valid URL`);
    return new URL(href).href;
  }
  const base = callerUrl(boundary);
  try {
    return new URL(href, base).href;
  } catch {
    throw new OptionError(`${what} ${JSON.stringify(href)} cannot be relative to ${base}: give an absolute path or a URL`);
  }
}

interface CallSite {
  getFileName(): string | null | undefined;
}

// Two letters at least: one alone is a drive of Windows.
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

function asUrl(name: string): string {
  return SCHEME.test(name) ? name : hrefOf(name);
}

function fromStack(boundary: Function): string {
  const [name] = stack(boundary, 1);
  if (name === undefined) {
    throw new KnitError("KNT_NO_MODULE", "Cannot tell which module made this task (was it made in eval'd code?): call setModuleUrl(import.meta.url) before it");
  }
  return asUrl(name);
}

/** Whether a frame's file is a module of the program, not of the runtime. */
function isModule(name: string): boolean {
  return !name.startsWith("node:") && !name.startsWith("ext:") && name !== "[native code]";
}

/** Where this package's own modules are. */
const OWN = new URL("..", import.meta.url).href;

/** The files of the frames above `boundary`, nearest first. */
function stack(boundary: Function, depth: number): string[] {
  const above = frames(boundary, depth);
  if (above.length > 0) return above;
  // Bun's engine takes the frame of a function away when it ends with a call. Then the boundary is not found.
  return frames(stack, depth + 20)
    .filter((name) => isModule(name) && !asUrl(name).startsWith(OWN))
    .slice(0, depth);
}

// Structured frames rather than text: a path may hold anything, and source maps change the text.
function frames(boundary: Function, depth: number): string[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = depth;
    Error.prepareStackTrace = (_error, sites) => sites;
    Error.captureStackTrace(holder, boundary);
    return (holder.stack as CallSite[]).map((site) => site.getFileName()).filter((name) => typeof name === "string" && name !== "") as string[];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Error.prepareStackTrace = prepareStackTrace;
  }
}
