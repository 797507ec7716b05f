/**
 * Standard output and standard error of a worker process on Node.js: what is printed has been written when the call returns, as on the other runtimes, and as Node.js itself does
 * with files and terminals.
 *
 * What a pipe does not take at once Node.js keeps for its event loop. A worker that is asked to end would lose that, and what a task has printed would come behind what
 * its host prints after the answer. Whoever does not read holds the worker up, as a terminal would.
 */
import type * as Fs from "node:fs";

import { builtin } from "../runtime/system.ts";

/** Milliseconds between two attempts at a pipe that is full: its other end may be another program's, and nothing tells when that has read. */
const PAUSE_MS = 1;

interface PipeStream {
  /** What Node.js has made of the descriptor. */
  readonly _type?: string;
  _write(chunk: string | Uint8Array, encoding: BufferEncoding, written: (error?: unknown) => void): void;
  /** None: each piece is written by itself. */
  _writev: null;
}

const STREAMS = ["stdout", "stderr"] as const;

/** To be called before any module of the user is loaded. The streams are still made when they are first used. */
export function writeAtOnce(process: NodeJS.Process): void {
  const { writeSync } = builtin<typeof Fs>("node:fs");
  STREAMS.forEach((name, at) => {
    const given = Object.getOwnPropertyDescriptor(process, name);
    if (given?.get === undefined || given.configurable !== true) return;
    const { get } = given;
    const value = (): unknown => {
      const stream = get.call(process) as unknown;
      Object.defineProperty(process, name, given);
      if ((stream as PipeStream)._type === "pipe") patch(stream as PipeStream, at + 1, writeSync);
      return stream;
    };
    Object.defineProperty(process, name, { ...given, get: value });
  });
}

function patch(stream: PipeStream, fd: number, writeSync: typeof Fs.writeSync): void {
  stream._writev = null;
  stream._write = (chunk, encoding, written) => {
    try {
      writeAll(fd, typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk, writeSync);
    } catch (error) {
      return written(error);
    }
    written();
  };
}

const clock = new Int32Array(new SharedArrayBuffer(4));

function writeAll(fd: number, bytes: Uint8Array, writeSync: typeof Fs.writeSync): void {
  for (let at = 0; at < bytes.byteLength; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EAGAIN") throw error;
      Atomics.wait(clock, 0, 0, PAUSE_MS);
    }
  }
}
