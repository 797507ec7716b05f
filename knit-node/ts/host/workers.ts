/**
 * The workers of a pool: started, watched, replaced, ended.
 *
 * A worker that fails before it serves cannot do better the next time (its module is missing, its tasks differ): the pool
 * fails with its reason, for every call. One that dies later rejects the calls it had taken, and is replaced.
 */
import { KnitError, PoolClosedError, PoolInWorkerError, TaskBindingError, WorkerCrashedError, WorkerStartError } from "../api/errors.ts";
import type { Binding } from "../api/binding.ts";
import type { Settings } from "../api/options.ts";
import type { Native } from "../runtime/native.ts";
import type { SerializedFailure, WorkerBoot, WorkerHandle, WorkerListener, WorkerSettings } from "../runtime/runtime.ts";
import type { Host } from "./host.ts";

export type StartWorker = (boot: WorkerBoot, settings: WorkerSettings, listener: WorkerListener) => WorkerHandle;

const POOL_IN_WORKER = new PoolInWorkerError().code;

export class Workers {
  /** Why the pool cannot work, once that is known. */
  failure: KnitError | null = null;
  readonly #host: Host;
  readonly #native: Native;
  readonly #settings: Settings;
  readonly #bindings: readonly Binding[];
  readonly #start: StartWorker;
  readonly #handles: (WorkerHandle | null)[] = [];
  #stopping = false;

  constructor(host: Host, native: Native, settings: Settings, bindings: readonly Binding[], start: StartWorker) {
    this.#host = host;
    this.#native = native;
    this.#settings = settings;
    this.#bindings = bindings;
    this.#start = start;
    for (let index = 0; index < settings.threads; index++) this.#launch(index);
  }

  #launch(index: number): void {
    const settings = this.#settings;
    const boot: WorkerBoot = {
      token: this.#native.hostToken(this.#host.handle),
      index,
      epoch: this.#host.begin(index),
      steal: settings.steal,
      spinMicroseconds: settings.spinMicroseconds,
      maxPayloadBytes: settings.maxPayloadBytes,
      bindings: this.#bindings,
      memories: this.#host.memories.attach(index),
    };
    let ready = false;
    this.#handles[index] = this.#start(boot, settings, {
      message: (message) => {
        if ("ready" in message) ready = true;
        else this.#fail(fromWorker(message.failed));
      },
      exit: (code, error) => {
        this.#handles[index] = null;
        if (!this.#stopping) this.#onDeath(index, ready, code, error);
      },
    });
  }

  #onDeath(index: number, ready: boolean, code: number, error: unknown): void {
    this.#host.retire(index, new WorkerCrashedError(index, code, error));
    // The module uses its pool without the guard and does not wait for it: every replacement would die of it again.
    const unguarded = (error as { code?: unknown } | undefined)?.code === POOL_IN_WORKER;
    if (!ready || unguarded) {
      const why = error instanceof Error ? error.message : `it ended with exit code ${code}`;
      this.#fail(new WorkerStartError(`Worker ${index} could not start: ${why}`, error === undefined ? {} : { cause: error }));
    } else if (this.#settings.respawn) {
      this.#launch(index);
    } else if (this.#handles.every((handle) => handle === null)) {
      this.#fail(new WorkerCrashedError(index, code, error));
    } else {
      this.#host.evacuate(index);
    }
  }

  #fail(reason: KnitError): void {
    if (this.failure !== null || this.#stopping) return;
    this.failure = reason;
    this.#host.fail(reason);
    void this.stop();
  }

  /** Ends every worker and waits until it has really ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const living = this.#handles.filter((handle) => handle !== null);
    // The word first: a worker in native code leaves it at once, instead of at the end of its slice.
    for (let index = 0; index < this.#settings.threads; index++) this.#host.stop(index);
    await Promise.all(living.map(async (handle) => {
      await handle.terminate();
      await handle.ended;
    }));
  }

  /** Rejects what is open, ends the workers, lets go of the memory. */
  async shutdown(): Promise<void> {
    const reason = this.failure ?? new PoolClosedError();
    this.#host.fail(reason);
    await this.stop();
    // Again: an accessor that ends the pool while an argument is read goes on with its call.
    this.#host.fail(reason);
    this.#host.close();
  }
}

function fromWorker(failure: SerializedFailure): KnitError {
  const error = failure.code === "KNT_TASK_BINDING" ? new TaskBindingError(failure.message) : new WorkerStartError(failure.message);
  error.stack = failure.stack.startsWith(error.name) ? failure.stack : `${error.name}: ${failure.stack}`;
  return error;
}
