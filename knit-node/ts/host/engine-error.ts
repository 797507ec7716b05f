/**
 * Errors that a worker's engine makes (a result that cannot travel, say) arrive as this package's classes.
 */
import { ExitInWorkerError, HardTimeoutError, KnitError, OptionError, PoolClosedError, PoolInWorkerError, TaskBindingError, UnsupportedValueError, WorkerStartError } from "../api/errors.ts";
import { CodecError } from "../codec/errors.ts";

/** What crosses. */
export interface EngineError {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly kind?: string;
}

/** Describes an error of the engine for the way to the host; null for any other value. */
export function describe(error: unknown): EngineError | null {
  try {
    if (error instanceof UnsupportedValueError) {
      return { code: error.code, message: error.message, path: error.path, kind: error.kind };
    }
    if (error instanceof CodecError || error instanceof KnitError) return { code: error.code, message: error.message };
  } catch {
    // A revoked proxy, or one whose traps throw: not an error of the engine.
  }
  return null;
}

/** A task may use this package itself, so its errors come from workers, too. */
const CLASSES: Readonly<Record<string, (message: string) => KnitError>> = {
  KNT_EXIT_IN_WORKER: (message) => new ExitInWorkerError(message),
  KNT_HARD_TIMEOUT: (message) => new HardTimeoutError(message),
  KNT_OPTION: (message) => new OptionError(message),
  KNT_POOL_CLOSED: () => new PoolClosedError(),
  KNT_POOL_IN_WORKER: () => new PoolInWorkerError(),
  KNT_TASK_BINDING: (message) => new TaskBindingError(message),
  KNT_WORKER_START: (message) => new WorkerStartError(message),
};

/** The error that `describe` described. */
export function revive(value: unknown): KnitError {
  const { code, message, path, kind } = value as EngineError;
  if (path !== undefined && kind !== undefined) return new UnsupportedValueError(code, path, kind, message);
  const make = CLASSES[code];
  return make === undefined ? new KnitError(code, message) : make(message);
}
