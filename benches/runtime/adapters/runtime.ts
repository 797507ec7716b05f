// What the benches need from a runtime and cannot have the same way on all three: a bare worker, a collection of garbage,
// and a way to start this program again.

/** A bare worker, as its creator sees it. */
export interface Channel {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onError(listener: (error: unknown) => void): void;
  close(): Promise<void>;
}

export interface Runtime {
  readonly name: "node" | "deno" | "bun";
  readonly version: string;
  /** Arguments between the executable and the script that give a child the same rights and flags. */
  readonly childFlags: readonly string[];
  /** What `workerExecArgv` of a pool must be here for its processes to find the packages that this program finds. */
  readonly workerFlags: readonly string[];
  /** Whether Piscina is a contestant here: it is made for Node. */
  readonly hasPiscina: boolean;
  startWorker(): Channel;
  /** Collects all garbage, as far as the runtime lets a program ask for it. */
  collect(): void;
}

/** The adapter of the runtime that this program runs on. */
export async function currentRuntime(): Promise<Runtime> {
  const scope = globalThis as { Deno?: unknown; Bun?: unknown };
  if (scope.Deno !== undefined) return (await import("./deno.ts")).runtime;
  if (scope.Bun !== undefined) return (await import("./bun.ts")).runtime;
  return (await import("./node.ts")).runtime;
}
