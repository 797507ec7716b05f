/** Finding the files of a folder. */
import { closeSync, type Dirent, lstatSync, opendirSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

/** A file that was found. */
export interface Found {
  readonly path: string;
  /** Its size when it was found. */
  readonly size: number;
}

/** What is in a folder. */
export interface Listing {
  /** The files, largest first: a large one at the end would leave all workers but one idle. */
  readonly files: readonly Found[];
  /** Sum of the sizes. */
  readonly bytes: number;
  /** Folders that could not be listed, and files that vanished. */
  readonly unreadable: readonly string[];
  /** Entries that are neither files nor folders: symbolic links (not followed: they may form a circle), pipes, devices. */
  readonly passedOver: number;
}

/** A reason that `folder` cannot be walked, or nothing. */
export function refusal(folder: string): string | undefined {
  try {
    if (!statSync(folder).isDirectory()) return `${folder} is not a folder`;
    opendirSync(folder).closeSync();
    return undefined;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "ENOENT") return `${folder} does not exist`;
    if (code === "EACCES" || code === "EPERM") return `${folder} may not be read`;
    throw error;
  }
}

/** Lists every file below `folder`, leaving out folders with a name in `skip`. */
export function list(folder: string, skip: ReadonlySet<string>): Listing {
  const files: Found[] = [];
  const unreadable: string[] = [];
  let bytes = 0;
  let passedOver = 0;
  // A list of folders still to do, not recursion: depth costs no stack.
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    let entries: Dirent[];
    try {
      entries = readdirSync(next, { withFileTypes: true });
    } catch {
      unreadable.push(next);
      continue;
    }
    for (const entry of entries) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) {
        if (!skip.has(entry.name)) folders.push(path);
      } else if (entry.isFile()) {
        const size = lstatSync(path, { throwIfNoEntry: false })?.size;
        if (size === undefined) {
          unreadable.push(path);
        } else {
          files.push({ path, size });
          bytes += size;
        }
      } else {
        passedOver++;
      }
    }
  }
  files.sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1));
  return { files, bytes, unreadable, passedOver };
}

/** Reads the files once, so that the system holds them in memory. What cannot be read is met again later. */
export function readAhead(files: readonly Found[]): void {
  const piece = new Uint8Array(1 << 20);
  for (const { path } of files) {
    let file: number | undefined;
    try {
      file = openSync(path, "r");
      while (readSync(file, piece) > 0);
    } catch {
      continue;
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }
}
