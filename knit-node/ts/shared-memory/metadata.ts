/**
 * Where a `ProcessSharedBuffer` is, as plain data: what other threads and unrelated processes need to open the same memory.
 *
 * Named memory is found by its name. Anonymous memory is found by a number, inside its process only, while somebody there keeps it: to another
 * process it goes as an argument of a task, where its descriptor itself travels.
 */
import { KnitError } from "../api/errors.ts";

/** What `toMetadata()` gives. */
export interface ProcessSharedBufferMetadata {
  readonly type: "ProcessSharedBuffer";
  readonly version: 1;
  /** Bytes of the whole memory. */
  readonly size: number;
  /** Where the buffer begins in it. */
  readonly byteOffset: number;
  readonly byteLength: number;
  /** The name, if it has one. */
  readonly name?: string;
  /** Otherwise: which process, and which memory there. */
  readonly process?: number;
  readonly memory?: number;
}

/** The metadata itself, if it is some. */
export function checkMetadata(value: unknown): ProcessSharedBufferMetadata {
  if (typeof value !== "object" || value === null) throw bad("it is no object");
  const metadata = value as Partial<Record<keyof ProcessSharedBufferMetadata, unknown>>;
  if (metadata.type !== "ProcessSharedBuffer") throw bad('its type is not "ProcessSharedBuffer"');
  if (metadata.version !== 1) throw bad("its version is not 1");
  for (const field of ["size", "byteOffset", "byteLength"] as const) if (!isCount(metadata[field])) throw bad(`${field} is no count of bytes`);
  const { size, byteOffset, byteLength } = metadata as ProcessSharedBufferMetadata;
  if (byteOffset + byteLength > size) throw bad(`${byteLength} bytes at ${byteOffset} do not lie within ${size}`);
  const named = typeof metadata.name === "string";
  if (!named && (!isCount(metadata.process) || !isCount(metadata.memory))) throw bad("it has neither a name nor the number of a memory");
  return metadata as ProcessSharedBufferMetadata;
}

/** Metadata from what `stringify()` gave. */
export function parseMetadata(text: string): ProcessSharedBufferMetadata {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad("it is no JSON", cause);
  }
  return checkMetadata(value);
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff;
}

function bad(why: string, cause?: unknown): KnitError {
  const message = `This is not the metadata of a ProcessSharedBuffer: ${why}. Pass what toMetadata() or stringify() gave`;
  return new KnitError("KNT_SHARED_METADATA", message, cause === undefined ? {} : { cause });
}
