/**
 * What the decoder throws when bytes are not a message of the format.
 *
 * It always means that the sender is faulty or hostile, never that a value is unusual.
 */
import { KnitError } from "../api/errors.ts";

/** Which rule of the format was broken; the names are those of the specification. */
export type CodecReason =
  | "Truncated"
  | "TrailingBytes"
  | "ReservedSlot"
  | "UnknownTag"
  | "UnexpectedTag"
  | "BadOperand"
  | "BadReference"
  | "UnknownShape"
  | "BadText"
  | "TooDeep"
  | "TooLarge";

/** Code of every `CodecError`. */
export const CORRUPT = "KNT_ERROR_CORRUPT";

export class CodecError extends KnitError {
  readonly reason: CodecReason;

  constructor(reason: CodecReason, detail: string, options?: ErrorOptions) {
    super(CORRUPT, `Received bytes are not a valid message (${reason}): ${detail}. The sender is faulty, or its memory was damaged.`, options);
    this.reason = reason;
  }
}
/** A known tag where it may not stand. */
export function unexpected(detail: string): CodecError {
  return new CodecError("UnexpectedTag", detail);
}

/** An operand that the format does not allow. */
export function bad(detail: string): CodecError {
  return new CodecError("BadOperand", detail);
}

CodecError.prototype.name = "CodecError";
