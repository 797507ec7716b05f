/**
 * Errors that a worker's engine makes (a result that cannot travel, say) arrive as this package's classes.
 */
import { KnitError, UnsupportedValueError } from "../api/errors.ts";
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
  if (error instanceof UnsupportedValueError) {
    return { code: error.code, message: error.message, path: error.path, kind: error.kind };
  }
  if (error instanceof CodecError || error instanceof KnitError) return { code: error.code, message: error.message };
  return null;
}

/** The error that `describe` described. */
export function revive(value: unknown): KnitError {
  const { code, message, path, kind } = value as EngineError;
  if (path !== undefined && kind !== undefined) return new UnsupportedValueError(code, path, kind, message);
  return new KnitError(code, message);
}
