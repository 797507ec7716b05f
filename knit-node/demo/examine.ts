/**
 * What the demo does with one file: read, hash, compress and count its words.
 *
 * A file is taken in pieces, so memory stays small however large it is; each piece is compressed on
 * its own. The same function runs on one thread and in the pool's workers.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { deflateSync } from "node:zlib";

/** Bytes of a piece. */
const PIECE = 1 << 20;

/** What was found in a file. */
export interface Digest {
  /** Bytes read. */
  readonly bytes: number;
  /** SHA-256 of the content, in hex. */
  readonly hash: string;
  /** Bytes after compression. */
  readonly compressed: number;
  /** Runs of bytes that are not ASCII white space. */
  readonly words: number;
}

/** Why a file could not be read. */
export interface Unreadable {
  /** The system's code, such as `EACCES`. */
  readonly unreadable: string;
}

const isSpace = new Uint8Array(256);
for (const byte of [9, 10, 11, 12, 13, 32]) isSpace[byte] = 1;

const piece = new Uint8Array(PIECE);

/** Examines the file at `path`. A file that cannot be read is a result, not an error. */
export function examine(path: string): Digest | Unreadable {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    return examineOpen(file);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code !== "string") throw error;
    return { unreadable: code };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function examineOpen(file: number): Digest {
  const hash = createHash("sha256");
  let bytes = 0;
  let compressed = 0;
  let words = 0;
  let inWord = 0;
  for (;;) {
    const read = fill(file);
    if (read === 0) break;
    const content = piece.subarray(0, read);
    bytes += read;
    hash.update(content);
    compressed += deflateSync(content).byteLength;
    for (let i = 0; i < read; i++) {
      const word = 1 - isSpace[content[i]];
      words += word & ~inWord;
      inWord = word;
    }
  }
  return { bytes, hash: hash.digest("hex"), compressed, words };
}

/** Fills the piece as far as the file goes: one read may return less than there is. */
function fill(file: number): number {
  let filled = 0;
  while (filled < PIECE) {
    const read = readSync(file, piece, filled, PIECE - filled, null);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}
