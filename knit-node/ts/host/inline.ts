/**
 * The host's own lane: tasks that run here, between turns, as they would in a worker.
 *
 * Argument and result are written and read as for a worker, so that a call behaves alike wherever it runs: the argument is read when the call is
 * made, nothing is shared with the task, what cannot travel is refused.
 *
 * The lane takes a call only while it has room, so that few calls wait for a host that is busy otherwise.
 */
import { KnitError } from "../api/errors.ts";
import type { InlinerOptions } from "../api/options.ts";
import { ByteBuffer } from "../codec/buffer.ts";
import { Decoder } from "../codec/decode.ts";
import { Encoder } from "../codec/encode.ts";
import { travelsAlone } from "../codec/alone.ts";
import { reduceError } from "../codec/reduce.ts";
import { CodecError } from "../codec/errors.ts";
import type { Limits } from "../codec/format.ts";
import { LocalMemories } from "../shared-memory/local.ts";
import type { LocalList } from "../shared-memory/local.ts";
import type { Pending } from "./pending.ts";

/** A function as the lane runs it; null for one that only workers have. */
export type InlineFunction = ((arg: unknown) => unknown) | null;

interface Waiting {
  readonly fn: number;
  readonly number: number;
  readonly generation: number;
  readonly message: ByteBuffer;
  readonly end: number;
  readonly memories: LocalList;
}

export class InlineLane {
  readonly #functions: readonly InlineFunction[];
  readonly #pending: Pending;
  readonly #batch: number;
  /** Open calls from which on the lane takes some. */
  readonly #threshold: number;
  readonly #sent = new LocalMemories();
  readonly #received = new LocalMemories();
  readonly #arguments: Encoder;
  readonly #results: Encoder;
  readonly #decoder: Decoder;
  readonly #buffer = new ByteBuffer(new ArrayBuffer(1024));
  #waiting: Waiting[] = [];
  /** Calls that were run. */
  ran = 0;

  constructor(functions: readonly InlineFunction[], workers: number, options: Required<InlinerOptions>, limits: Limits, pending: Pending) {
    this.#functions = functions;
    this.#pending = pending;
    this.#batch = options.batchSize;
    // Last: every worker has a call.
    this.#threshold = options.position === "first" ? options.dispatchThreshold : Math.max(options.dispatchThreshold, workers + 1);
    this.#arguments = new Encoder(null, limits, { root: "arg", shared: this.#sent });
    this.#results = new Encoder(null, limits, { root: "result", shared: this.#received });
    this.#decoder = new Decoder(null, limits, { shared: this.#received });
  }

  /** Whether calls wait to be run. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Whether the next call of this function is the lane's. */
  takes(fn: number): boolean {
    return this.#waiting.length < this.#batch && this.#pending.open + 1 >= this.#threshold && this.#functions[fn] !== null;
  }

  /** Reads the argument and keeps the call. */
  call(fn: number, value: unknown): Promise<unknown> {
    const message = new ByteBuffer(new ArrayBuffer(64));
    let end: number;
    try {
      end = this.#arguments.encode(value, message, 0);
    } catch (error) {
      return Promise.reject(error);
    }
    const number = this.#pending.take();
    const promise = this.#pending.promise();
    this.#waiting.push({ fn, number, generation: this.#pending.generations[number], message, end, memories: this.#sent.take() });
    return promise;
  }

  /** Runs what has been taken so far. */
  run(): void {
    const calls = this.#waiting;
    this.#waiting = [];
    this.ran += calls.length;
    for (const call of calls) if (this.#pending.has(call.number, call.generation)) this.#run(call);
  }

  #run(call: Waiting): void {
    const f = this.#functions[call.fn] as (arg: unknown) => unknown;
    let result: unknown;
    let later = false;
    try {
      this.#received.show(call.memories);
      const arg = this.#decoder.decode(call.message, 0, call.end);
      this.#received.discard();
      result = f(arg);
      // Inside: reading `then` may run the task's own code.
      later = typeof result === "object" && result !== null && typeof (result as PromiseLike<unknown>).then === "function";
      if (later) {
        Promise.resolve(result as PromiseLike<unknown>).then(
          (value) => this.#answer(call, value),
          (error: unknown) => this.#fail(call, error),
        );
      }
    } catch (error) {
      this.#fail(call, error);
      return;
    }
    if (!later) this.#answer(call, result);
  }

  #answer(call: Waiting, value: unknown): void {
    let copy: unknown;
    try {
      copy = this.#copy(value);
    } catch (error) {
      this.#fail(call, error);
      return;
    }
    this.#pending.resolve(call.number, call.generation, copy);
  }

  #fail(call: Waiting, error: unknown): void {
    let copy = error;
    // This package's own errors are made for the caller.
    if (!(error instanceof KnitError || error instanceof CodecError)) {
      try {
        copy = this.#copy(error);
      } catch (refusal) {
        copy = reduceError(error, travelsAlone) ?? refusal;
      }
    }
    this.#pending.reject(call.number, call.generation, copy);
  }

  #copy(value: unknown): unknown {
    // An accessor of a value may call the pool while it is being written.
    const out = this.#results.busy ? new ByteBuffer(new ArrayBuffer(1024)) : this.#buffer;
    try {
      return this.#decoder.decode(out, 0, this.#results.encode(value, out, 0));
    } finally {
      this.#received.discard();
    }
  }
}
