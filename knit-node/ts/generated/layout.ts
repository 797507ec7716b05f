// Generated from the Rust layout by `cargo xtask layout`. Do not edit: a test compares this file with its source.

/** Version of the shared layout and the value format. */
export const VERSION = 2;

/** Most workers of one pool. */
export const MAX_WORKERS = 1024;

/** Frames start at multiples of this many bytes. */
export const GRANULE = 32;

/** Bytes of a frame's header. */
export const FRAME_HEADER = 16;

/** Byte in the header: u32, bytes of the payload. */
export const FRAME_LENGTH = 0;

/** Byte in the header: u16, function. */
export const FRAME_FUNCTION = 4;

/** Byte in the header: u8, kind. */
export const FRAME_KIND = 6;

/** Byte in the header: u8, flags. */
export const FRAME_FLAGS = 7;

/** Byte in the header: u32, call number. */
export const FRAME_CALL = 8;

/** Byte in the header: u32, generation of the call number. */
export const FRAME_GENERATION = 12;

/** A call; the payload is the argument. */
export const KIND_CALL = 1;

/** A result. */
export const KIND_RESULT = 2;

/** What the task threw. */
export const KIND_THROWN = 3;

/** What a worker process says about itself, of no call. */
export const KIND_NOTE = 4;

/** The payload is in a block: the frame holds locator and bytes, u64 each. */
export const FLAG_BLOCK = 1;

/** What is thrown is an engine's error, described by an object. */
export const FLAG_ENGINE = 2;

/** What is thrown is a text of a worker that is no JavaScript runtime. */
export const FLAG_TEXT = 4;

/** A reply: the worker's program holds blocks that came with the call. */
export const FLAG_KEPT = 8;

/** Payloads from this many bytes are shown in place. */
export const LENT = 262144;

/** Abort slot and its ticket, u32 each, lie before the argument. */
export const FLAG_ABORT = 16;

/** Only fills the space up to the end of a ring. */
export const KIND_PAD = 255;

/** Exit status of a worker process that was not given the pool's memory. */
export const EXIT_NOT_INHERITED = 78;

/** Control word: microseconds, wrapping. */
export const CONTROL_CLOCK = 0;

/** Control word: calls waiting for room. */
export const CONTROL_BACKLOG = 1;

/** Control word: place of the opened block in its heap. */
export const CONTROL_BLOCK_OFFSET = 2;

/** Control word: size of the opened block. */
export const CONTROL_BLOCK_BYTES = 3;

/** Control word: lower word of the allocated block's locator. */
export const CONTROL_BLOCK_LOW = 4;

/** Control word: higher word of the allocated block's locator. */
export const CONTROL_BLOCK_HIGH = 5;

/** Control word of a worker: changes with each abort. */
export const CONTROL_ABORTS = 6;

/** Control word of a host: 1 and the number of a worker that has damaged its reply ring, once; else 0. */
export const CONTROL_DAMAGED = 6;

/** Control word of a host: 1 if replies are too far to be looked for, else 0. */
export const CONTROL_FAR = 7;

/** First control word of the entries. */
export const CONTROL_ENTRIES = 8;

/** Control words of one span of replies: worker, first byte, end. */
export const SPAN_WORDS = 3;

/** Control words of one expired call: number, generation. */
export const CALL_WORDS = 2;

/** Byte in the region: u32, workers. */
export const HEADER_WORKERS = 12;

/** Byte in the region: u32, abort slots. */
export const HEADER_ABORT_SLOTS = 28;

/** Byte in the region: u32, place of the abort slots' words. */
export const HEADER_ABORT_WORDS = 32;

/** Byte in the region: u32, place of the host's shape table. */
export const HEADER_HOST_SHAPES = 36;

/** Byte in the region: u32, its bytes. */
export const HEADER_HOST_SHAPE_BYTES = 40;

/** Byte in the region: u32, place of the workers' shape tables. */
export const HEADER_WORKER_SHAPES = 44;

/** Byte in the region: u32, bytes of each. */
export const HEADER_WORKER_SHAPE_BYTES = 48;

/** How calls are spread over lanes; a balancer's number is its place. */
export const BALANCERS = [
  "roundRobin",
  "firstIdle",
  "randomLane",
  "firstIdleOrRandom",
  "leastLoaded",
] as const;

/** Columns of a row of figures; times are in milliseconds. */
export const FIGURES = [
  "submitted",
  "queued",
  "running",
  "completed",
  "failed",
  "removed",
  "respawns",
  "bytesIn",
  "bytesOut",
  "waitP50",
  "waitP99",
  "waitMax",
  "runP50",
  "runP99",
  "runMax",
] as const;

/** What a worker's turn returns if it shall end. */
export const STOP = -1;
