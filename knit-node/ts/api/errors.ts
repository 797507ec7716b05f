/**
 * The errors that users see: real `Error` objects with a stable `code` and a message that says what to do.
 */
import type { ProcessEnd } from "../runtime/runtime.ts";
import type { PermissionEnforcer, PermissionRefusal } from "./permission.ts";

/** Base of every error of this package. */
export class KnitError extends Error {
  /** Stable; programs may compare it. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
KnitError.prototype.name = "KnitError";

/**
 * A value that cannot travel. `KNT_ERROR_0`: a function; `KNT_ERROR_1`: a local symbol; `KNT_ERROR_2`: a value of a supported type that
 * cannot be read (a detached buffer); `KNT_ERROR_3`: an unsupported type, or over a limit.
 */
export class UnsupportedValueError extends KnitError {
  /** Where it is, from the root: `arg.users[3].onClick`. */
  readonly path: string;
  /** What it is: `function`, `instance of Foo`. */
  readonly kind: string;

  constructor(code: string, path: string, kind: string, message: string) {
    super(code, message);
    this.path = path;
    this.kind = kind;
  }
}
UnsupportedValueError.prototype.name = "UnsupportedValueError";

/** How a worker ended, in words. */
export function howEnded(exitCode: number | null, end?: ProcessEnd): string {
  if (exitCode !== null) return `with exit code ${exitCode}`;
  return end?.signal == null ? "for unknown reasons" : `by ${end.signal}`;
}

/** The worker that had taken the call died before it answered. */
export class WorkerCrashedError extends KnitError {
  /** Exit code of the worker; null if a signal ended it. */
  readonly exitCode: number | null;
  /** The signal that ended it, if it was a process and a signal did. */
  readonly signal: string | null;
  /** The last lines of its standard error, if it was a process. */
  readonly stderr: string;

  constructor(worker: number, exitCode: number | null, cause: unknown, end: ProcessEnd = { signal: null, stderr: "" }) {
    const said = end.stderr === "" ? "" : `. It said: ${end.stderr}`;
    const why = cause instanceof Error ? `: ${cause.message}` : said;
    super("KNT_WORKER_CRASHED", `Worker ${worker} ended ${howEnded(exitCode, end)} while it had this call${why}`, cause === undefined ? {} : { cause });
    this.exitCode = exitCode;
    this.signal = end.signal;
    this.stderr = end.stderr;
  }
}
WorkerCrashedError.prototype.name = "WorkerCrashedError";

/** The pool was shut down. */
export class PoolClosedError extends KnitError {
  constructor() {
    super("KNT_POOL_CLOSED", "The pool was shut down: make another with createPool(), or call shutdown() later");
  }
}
PoolClosedError.prototype.name = "PoolClosedError";

/** An option that does not exist, or a value that it does not take. */
export class OptionError extends KnitError {
  constructor(message: string) {
    super("KNT_OPTION", message);
  }
}
OptionError.prototype.name = "OptionError";

/** Host and worker do not agree on which function a task is. */
export class TaskBindingError extends KnitError {
  constructor(message: string, options?: ErrorOptions) {
    super("KNT_TASK_BINDING", message, options);
  }
}
TaskBindingError.prototype.name = "TaskBindingError";

/** A worker could not start: its modules cannot be loaded. Every call of the pool rejects with it. */
export class WorkerStartError extends KnitError {
  constructor(message: string, options?: ErrorOptions) {
    super("KNT_WORKER_START", message, options);
  }
}
WorkerStartError.prototype.name = "WorkerStartError";

/** `createPool` was used inside a worker. */
export class PoolInWorkerError extends KnitError {
  constructor() {
    super(
      "KNT_POOL_IN_WORKER",
      "createPool() was used inside a worker. Workers import the module that holds a task, so code that makes or uses a pool must stand behind a guard: `if (isMain) { ... }`, with isMain from this package",
    );
  }
}
PoolInWorkerError.prototype.name = "PoolInWorkerError";

/** A call took longer than its task's `timeout`. */
export class TaskTimeoutError extends KnitError {
  constructor(message: string) {
    super("KNT_TASK_TIMEOUT", message);
  }
}
TaskTimeoutError.prototype.name = "TaskTimeoutError";

/** A task occupied its worker for longer than `worker.hardTimeoutMs`; that worker was ended and replaced. */
export class HardTimeoutError extends KnitError {
  constructor(message: string) {
    super("KNT_HARD_TIMEOUT", message);
  }
}
HardTimeoutError.prototype.name = "HardTimeoutError";

/** More abort-aware calls than `abortSignalCapacity` are in flight. */
export class AbortSlotsExhaustedError extends KnitError {
  constructor(capacity: number) {
    super(
      "KNT_ABORT_SLOTS",
      `All ${capacity} abort slots belong to calls whose tasks still run: wait for some of them, or raise abortSignalCapacity`,
    );
  }
}
AbortSlotsExhaustedError.prototype.name = "AbortSlotsExhaustedError";

/** `maxQueue` calls wait already. */
export class QueueFullError extends KnitError {
  constructor(limit: number) {
    super("KNT_QUEUE_FULL", `${limit} calls wait for a worker already, which is maxQueue: wait for some of them, or raise it`);
  }
}
QueueFullError.prototype.name = "QueueFullError";

/** A task tried to end its worker's process or thread. */
export class ExitInWorkerError extends KnitError {
  constructor(message: string) {
    super("KNT_EXIT_IN_WORKER", message);
  }
}
ExitInWorkerError.prototype.name = "ExitInWorkerError";

/** A task did what its pool's `permission` denies. */
export class PermissionDeniedError extends KnitError {
  /** The key of `permission`. */
  readonly permission: string;
  /** What was asked for: a path, a host; empty if that is not known. */
  readonly resource: string;
  /** Who denied it. */
  readonly mechanism: Exclude<PermissionEnforcer, "nobody">;

  constructor(permission: string, resource: string, mechanism: Exclude<PermissionEnforcer, "nobody">, cause: unknown) {
    const what = resource === "" ? "" : ` (${resource})`;
    const said = cause instanceof Error ? `: ${cause.message}` : "";
    super("KNT_PERMISSION_DENIED", `The ${mechanism} denied a task what permission.${permission} does not allow${what}${said}`, { cause });
    this.permission = permission;
    this.resource = resource;
    this.mechanism = mechanism;
  }
}
PermissionDeniedError.prototype.name = "PermissionDeniedError";

/** What `permission` asks for cannot be enforced here. No worker was started. */
export class PermissionUnenforceableError extends KnitError {
  /** Every key that cannot: why, and what can be done. */
  readonly refusals: readonly PermissionRefusal[];

  constructor(message: string, refusals: readonly PermissionRefusal[]) {
    super("KNT_PERMISSION_UNENFORCEABLE", message);
    this.refusals = refusals;
  }
}
PermissionUnenforceableError.prototype.name = "PermissionUnenforceableError";
