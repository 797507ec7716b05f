/**
 * Which module called: read from the stack.
 */
import { pathToFileURL } from "node:url";

import { KnitError } from "./errors.ts";

let moduleUrl: string | null = null;

/**
 * Says which module the following `task()` calls belong to, where the stack cannot tell: in bundles and loaders that rename
 * modules. Call it with `import.meta.url`, before the tasks are made.
 */
export function setModuleUrl(url: string | URL): void {
  moduleUrl = new URL(url).href;
}

/** The URL of the module that called `boundary`. */
export function callerUrl(boundary: Function): string {
  return moduleUrl ?? fromStack(boundary);
}

interface CallSite {
  getFileName(): string | null | undefined;
}

// Structured frames rather than text: a path may hold anything, and source maps change the text.
function fromStack(boundary: Function): string {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_error, sites) => sites;
    Error.captureStackTrace(holder, boundary);
    const name = (holder.stack as CallSite[])[0]?.getFileName();
    if (!name) {
      throw new KnitError("KNT_NO_MODULE", "Cannot tell which module made this task (was it made in eval'd code?): call setModuleUrl(import.meta.url) before it");
    }
    return /^[a-z][a-z+.-]+:/i.test(name) ? name : pathToFileURL(name).href;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Error.prepareStackTrace = prepareStackTrace;
  }
}
