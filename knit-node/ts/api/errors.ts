/**
 * The errors that users see: real `Error` objects with a stable `code` and a message that says what to do.
 */

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
