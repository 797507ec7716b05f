/**
 * The constants of the value format, version 1 (`knit-codec/FORMAT.md` is the specification).
 *
 * A slot is 64 bits. Its high word, read as a signed 32-bit integer, says what it is:
 *
 *     hi >= 0  or  hi < FIRST_RESERVED      an IEEE-754 double
 *     FIRST_RESERVED <= hi < TAGGED         reserved, rejected
 *     TAGGED <= hi < TAGGED + 0x1_0000      a tag: TAGGED + (tag << 8) + aux, the low word is the operand
 *     the rest below 0                      reserved, rejected
 */

/** High word of the first tagged slot: 0xFFFE_0000. */
export const TAGGED = -0x2_0000;
/** High word of the first reserved pattern: 0xFFF9_0000. */
export const FIRST_RESERVED = -0x7_0000;
/** High word of the canonical NaN. */
export const NAN_HI = 0x7ff8_0000;

export const TAG_HEAD = 0x00;
export const TAG_UNDEFINED = 0x01;
export const TAG_NULL = 0x02;
export const TAG_FALSE = 0x03;
export const TAG_TRUE = 0x04;
export const TAG_HOLES = 0x05;
export const TAG_STRING = 0x06;
export const TAG_BIGINT64 = 0x07;
export const TAG_BIGINT = 0x08;
export const TAG_DATE = 0x09;
export const TAG_OBJECT_SHARED = 0x0a;
export const TAG_OBJECT_NEW = 0x0b;
export const TAG_OBJECT_LOCAL = 0x0c;
export const TAG_ARRAY = 0x0d;
export const TAG_ARRAY_NUMBERS = 0x0e;
export const TAG_ARRAY_HOLEY = 0x0f;
export const TAG_MAP = 0x10;
export const TAG_SET = 0x11;
export const TAG_REGEXP = 0x12;
export const TAG_URL = 0x13;
export const TAG_SYMBOL = 0x14;
export const TAG_BINARY = 0x15;
export const TAG_BINARY_BLOCK = 0x16;
export const TAG_STRING_BLOCK = 0x17;
export const TAG_ERROR = 0x18;
export const TAG_REF = 0x19;
export const TAG_SHARED_MEMORY = 0x1a;
export const TAG_ENVELOPE = 0x1b;

// High words of the tags the hot paths write and compare; aux is 0.
export const HI_HEAD = TAGGED;
export const HI_UNDEFINED = TAGGED + (TAG_UNDEFINED << 8);
export const HI_NULL = TAGGED + (TAG_NULL << 8);
export const HI_FALSE = TAGGED + (TAG_FALSE << 8);
export const HI_TRUE = TAGGED + (TAG_TRUE << 8);
export const HI_HOLES = TAGGED + (TAG_HOLES << 8);
export const HI_STRING = TAGGED + (TAG_STRING << 8);
export const HI_BIGINT64 = TAGGED + (TAG_BIGINT64 << 8);
export const HI_BIGINT = TAGGED + (TAG_BIGINT << 8);
export const HI_DATE = TAGGED + (TAG_DATE << 8);
export const HI_OBJECT_SHARED = TAGGED + (TAG_OBJECT_SHARED << 8);
export const HI_OBJECT_NEW = TAGGED + (TAG_OBJECT_NEW << 8);
export const HI_OBJECT_LOCAL = TAGGED + (TAG_OBJECT_LOCAL << 8);
export const HI_ARRAY = TAGGED + (TAG_ARRAY << 8);
export const HI_ARRAY_NUMBERS = TAGGED + (TAG_ARRAY_NUMBERS << 8);
export const HI_ARRAY_HOLEY = TAGGED + (TAG_ARRAY_HOLEY << 8);
export const HI_MAP = TAGGED + (TAG_MAP << 8);
export const HI_SET = TAGGED + (TAG_SET << 8);
export const HI_REGEXP = TAGGED + (TAG_REGEXP << 8);
export const HI_URL = TAGGED + (TAG_URL << 8);
export const HI_SYMBOL = TAGGED + (TAG_SYMBOL << 8);
export const HI_BINARY = TAGGED + (TAG_BINARY << 8);
export const HI_BINARY_BLOCK = TAGGED + (TAG_BINARY_BLOCK << 8);
export const HI_STRING_BLOCK = TAGGED + (TAG_STRING_BLOCK << 8);
export const HI_ERROR = TAGGED + (TAG_ERROR << 8);
export const HI_REF = TAGGED + (TAG_REF << 8);
export const HI_SHARED_MEMORY = TAGGED + (TAG_SHARED_MEMORY << 8);
export const HI_ENVELOPE = TAGGED + (TAG_ENVELOPE << 8);

// Bits of the head slot's aux, beside the text encoding in bits 0 and 1.
export const HEAD_REFS = 4;
export const HEAD_BLOCKS = 8;

export const TEXT_ASCII = 0;
export const TEXT_UTF8 = 1;
export const TEXT_UTF16 = 2;

// Field bits of ERROR, in the order in which the fields are written.
export const ERROR_NAME = 1;
export const ERROR_MESSAGE = 2;
export const ERROR_STACK = 4;
export const ERROR_CAUSE = 8;
export const ERROR_CODE = 16;
export const ERROR_ERRORS = 32;
export const ERROR_PROPERTIES = 64;

/** Fields of an error that have a bit of their own; other own enumerable properties travel together. */
export const ERROR_FIELDS: ReadonlySet<string> = new Set(["name", "message", "stack", "cause", "code", "errors"]);

// What SHARED_MEMORY's aux says; views of a SharedArrayBuffer add the binary kind.
export const SHARED_PROCESS_BUFFER = 0;
export const SHARED_ARRAY_BUFFER = 1;
export const SHARED_VIEW = 16;

export const BINARY_ARRAY_BUFFER = 0;
export const BINARY_DATA_VIEW = 1;
export const BINARY_UINT8 = 3;
export const BINARY_BUFFER = 14;

/** The typed arrays by binary kind; a hole is a kind that is none, or that this runtime does not have. */
export const TYPED_ARRAY_NAMES: readonly (string | undefined)[] = [
  undefined,
  undefined,
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "Float16Array",
];

/** Bytes of one element, by binary kind. */
export const ELEMENT_BYTES: readonly number[] = [1, 1, 1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2, 1];

/** Names of the built-in error classes, by the number that ERROR carries. */
export const ERROR_CLASS_NAMES: readonly string[] = [
  "Error",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
  "AggregateError",
];

/** Most bytes of shared memory: they are counted in a word. */
export const MAX_SHARED_BYTES = 0xffff_ffff;
/** Most keys a shape may have. */
export const MAX_SHAPE_KEYS = 65_535;
/** Longest array. */
export const MAX_ARRAY_LENGTH = 0xffff_ffff;
/** Most holes in an array. */
export const MAX_HOLES = 0xffff_fffe;

/** What a reader or writer puts up with. */
export interface Limits {
  /** Deepest nesting of containers. */
  readonly maxDepth: number;
  /** Longest message in bytes, text included. */
  readonly maxBytes: number;
}

/** The format's own limits. */
export const DEFAULT_LIMITS: Limits = { maxDepth: 1000, maxBytes: 0x7fff_ffff };
