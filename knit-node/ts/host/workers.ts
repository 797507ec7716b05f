/**
 * The workers of a pool: started, watched, replaced, ended.
 *
 * If the first workers say that they cannot start (a module is missing, tasks differ), the pool fails with their reason, for every call: others
 * would find the same. A worker that dies rejects the calls it had taken, and is replaced; `respawn.ts` says when.
 */
import { HardTimeoutError, KnitError, PoolClosedError, TaskBindingError, WorkerCrashedError, WorkerStartError, howEnded } from "../api/errors.ts";
import type { Binding } from "../api/binding.ts";
import type { Debug } from "../api/debug.ts";
import type { Settings } from "../api/options.ts";
import { EXIT_NOT_INHERITED } from "../generated/layout.ts";
import type { Native } from "../runtime/native.ts";
import type { SerializedFailure, Starter, WorkerBoot, WorkerHandle, WorkerMessage } from "../runtime/runtime.ts";
import type { Host } from "./host.ts";
import { hiddenBy } from "../runtime/command.ts";
import { inAWhile } from "../runtime/timer.ts";
import type { Permissions } from "./permissions.ts";
import { MOST_FAILURES, respawnDelay } from "./respawn.ts";
import { SlowStart, modulesOf } from "./slow-start.ts";

// Not asked of one: Deno takes milliseconds for the first error of a thread.
const POOL_IN_WORKER = "KNT_POOL_IN_WORKER";

/** Where a worker lives, one after the other. */
interface Place {
  handle: WorkerHandle | null;
  /** It has said that it serves. */
  ready: boolean;
  /** Why it was ended, if this side did it. */
  reason: KnitError | null;
  /** Why it cannot start, if it has said so. */
  failure: KnitError | null;
  /** Why it was ended, for those whose calls it had: how it has damaged what it shares with the host, or what another call did. */
  damage: Error | null;
  /** Failures to start in a row. */
  failures: number;
  /** Does not wait to start the next one any more. */
  cancel: (() => void) | null;
}

export class Workers {
  /** Why the pool cannot work, once that is known. */
  failure: KnitError | null = null;
  readonly #host: Host;
  readonly #native: Native;
  readonly #settings: Settings;
  readonly #starter: Starter;
  readonly #debug: Debug;
  readonly #pool: string;
  readonly #permissions: Permissions;
  readonly #places: Place[];
  readonly #slow: SlowStart;
  #bindings: readonly Binding[] = [];
  /** Some worker has served: what stops others now may pass. */
  #served = false;
  #stopping = false;

  constructor(
    host: Host,
    native: Native,
    settings: Settings,
    bindings: readonly Binding[] | Promise<readonly Binding[]>,
    starter: Starter,
    debug: Debug,
    pool: string,
    permissions: Permissions,
  ) {
    this.#host = host;
    this.#native = native;
    this.#settings = settings;
    this.#starter = starter;
    this.#debug = debug;
    this.#pool = pool;
    this.#places = Array.from({ length: settings.threads }, () => ({ handle: null, ready: false, reason: null, failure: null, damage: null, failures: 0, cancel: null }));
    host.replies.onDamage = (index, how) => this.#damaged(index, how);
    this.#permissions = permissions;
    this.#slow = new SlowStart({
      starting: () => new Map(this.#places.flatMap(({ handle, ready }, index) => (handle === null || ready ? [] : [[index, handle] as const]))),
      open: () => host.pending.open,
      loads: () => modulesOf(this.#bindings, settings),
    });
    if (settings.hardTimeoutMs > 0) host.watchOverruns(settings.threads, settings.hardTimeoutMs, this);
    if (Array.isArray(bindings)) this.#launchAll(bindings as readonly Binding[]);
    else void this.#launchLater(bindings as Promise<readonly Binding[]>);
  }

  #launchAll(bindings: readonly Binding[]): void {
    this.#bindings = bindings;
    for (let index = 0; index < this.#places.length; index++) this.#launch(index);
  }

  async #launchLater(bindings: Promise<readonly Binding[]>): Promise<void> {
    try {
      const found = await bindings;
      if (!this.#stopping) this.#launchAll(found);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      this.#fail(cause instanceof KnitError ? cause : new WorkerStartError(`The workers could not be started: ${why}`, { cause }));
    }
  }

  #launch(index: number): void {
    const settings = this.#settings;
    const place = this.#places[index];
    const boot: WorkerBoot = {
      token: this.#native.hostToken(this.#host.handle),
      index,
      epoch: this.#host.begin(index),
      steal: settings.steal,
      spinMicroseconds: settings.spinMicroseconds,
      parkMs: settings.parkMs,
      pauseNanoseconds: settings.pauseNanoseconds,
      maxPayloadBytes: settings.maxPayloadBytes,
      hardTimeoutMs: settings.hardTimeoutMs,
      bindings: this.#bindings,
      memories: this.#host.memories?.attach(index) ?? null,
      bootstrap: settings.bootstrap,
      debug: settings.debug,
      pool: this.#pool,
      restriction: this.#permissions.restriction,
    };
    this.#host.onWait = () => this.#slow.watch();
    const start = this.#debug.lifecycle === null ? 0 : performance.now();
    place.ready = false;
    place.reason = null;
    place.failure = null;
    place.damage = null;
    place.handle = this.#starter.start(boot, { ...settings, permissions: this.#permissions }, {
      message: (message) => this.#onMessage(index, message, start),
      exit: (code, error, end) => {
        place.handle = null;
        this.#debug.lifecycle?.(`worker ${index} ended ${howEnded(code, end)}${error === undefined ? "" : `: ${String(error)}`}`);
        // What it was ended for says more than how its runtime took that.
        if (!this.#stopping) this.#onDeath(index, new WorkerCrashedError(index, code, place.damage ?? error, end));
      },
    });
    this.#debug.lifecycle?.(`worker ${index} started`);
  }

  #onMessage(index: number, message: WorkerMessage, start: number): void {
    const place = this.#places[index];
    if ("ready" in message) {
      place.ready = true;
      place.failures = 0;
      this.#served = true;
      this.#debug.lifecycle?.(`worker ${index} serves after ${(performance.now() - start).toFixed(1)} ms`);
      if (this.#places.every(({ ready }) => ready)) this.#watchNoStart();
      return;
    }
    if ("stopped" in message) {
      // Nothing of it is left to be answered.
      void place.handle?.terminate();
      return;
    }
    if ("overdue" in message) {
      this.#debug.lifecycle?.(`worker ${index} is replaced: a task has waited for too long there`);
      this.#leave(index);
      return;
    }
    place.failure = fromWorker(message.failed);
    this.#debug.lifecycle?.(`worker ${index} cannot start: ${place.failure.message}`);
    if (!this.#served || !this.#settings.respawn) this.#fail(place.failure);
    // Its modules may have left timers that keep it alive.
    else void place.handle?.terminate();
  }

  #onDeath(index: number, death: WorkerCrashedError): void {
    const { ready, reason } = this.#places[index];
    this.#host.retire(index, reason ?? death);
    // The module uses its pool without the guard and does not wait for it: every replacement would die of it again.
    if ((death.cause as { code?: unknown } | undefined)?.code === POOL_IN_WORKER) this.#fail(this.#startError(index, death));
    // What has started it keeps the memory back: the next one would find none either.
    else if (!this.#served && death.exitCode === EXIT_NOT_INHERITED && this.#settings.process !== null) this.#fail(this.#startError(index, death));
    else if (!this.#settings.respawn) this.#leaveEmpty(index, death);
    else if (ready) this.#relaunch(index);
    else this.#retry(index, death);
  }

  /** Asks a worker to take no more calls, and gives what waits for it to others. When it has answered what it has taken, it says that it has stopped. */
  #leave(index: number): void {
    this.#host.stop(index);
    this.#host.evacuate(index);
  }

  overrun(index: number, number: number, generation: number): void {
    // Were the call answered at this very moment, the worker would take no other one.
    this.#leave(index);
    if (!this.#host.isRunning(index, number, generation)) return;
    this.#debug.lifecycle?.(`worker ${index} is ended: a call has occupied it for too long`);
    this.#host.giveUp(number, generation, hardTimeout(this.#settings.hardTimeoutMs));
    const place = this.#places[index] as Place;
    place.damage ??= new Error("another call had occupied it for longer than worker.hardTimeoutMs, so it was ended");
    void place.handle?.terminate();
  }

  stuck(index: number): void {
    const place = this.#places[index] as Place;
    if (!place.ready || place.handle === null) return;
    this.#debug.lifecycle?.(`worker ${index} is ended: it takes no turns`);
    place.reason = hardTimeout(this.#settings.hardTimeoutMs);
    void place.handle.terminate();
  }

  /** A worker has damaged its replies: nothing of it can be believed any more. */
  #damaged(index: number, how: Error): void {
    const place = this.#places[index];
    if (place === undefined || place.handle === null || place.damage !== null) return;
    place.damage = how;
    this.#debug.lifecycle?.(`worker ${index} is ended: ${how.message}`);
    // Some runtimes cannot end a thread that is busy: it must not take more after that.
    this.#leave(index);
    void place.handle.terminate();
  }

  /** Nobody follows. */
  #leaveEmpty(index: number, death: WorkerCrashedError): void {
    if (!this.#places[index].ready) this.#fail(this.#startError(index, death));
    else if (this.#places.every((place) => place.handle === null)) this.#fail(death);
    else this.#host.evacuate(index);
  }

  /** It died before it served: the next one comes later. */
  #retry(index: number, death: WorkerCrashedError): void {
    const place = this.#places[index];
    place.failures++;
    if (place.failures >= MOST_FAILURES && !this.#places.some((other) => other.ready && other.handle !== null)) {
      this.#fail(place.failure ?? this.#startError(index, death));
      return;
    }
    const ms = respawnDelay(place.failures);
    this.#debug.lifecycle?.(`worker ${index} is replaced in ${ms} ms, after ${place.failures} failures to start`);
    this.#host.evacuate(index);
    place.cancel = inAWhile(ms, () => {
      place.cancel = null;
      this.#relaunch(index);
    });
  }

  #relaunch(index: number): void {
    try {
      this.#launch(index);
    } catch (error) {
      // The system refuses it, for want of descriptors for example, which passes.
      const refusal = new WorkerCrashedError(index, null, error);
      const failure = error instanceof WorkerStartError ? error : this.#startError(index, refusal);
      this.#places[index].failure = failure;
      this.#debug.lifecycle?.(`worker ${index} cannot start: ${failure.message}`);
      this.#host.retire(index, failure);
      this.#retry(index, refusal);
    }
  }

  #startError(index: number, death: WorkerCrashedError): WorkerStartError {
    const { cause: error, exitCode, stderr } = death;
    const said = stderr === "" ? "" : `. It said: ${stderr}`;
    const early = exitCode === 0 ? " before it served: does a module that it imports await what never comes?" : "";
    const why = error instanceof Error ? error.message : `it ended ${howEnded(exitCode, death)}${early}${said}`;
    const hidden = this.#settings.process === null ? null : hiddenBy(this.#settings.process.prefix, this.#settings.source);
    const hint =
      hidden !== null
        ? ` (worker.processCommandPrefix hides ${hidden} by --tmpfs, and the worker is in it: bind that folder after it, or keep the program elsewhere)`
        : this.#settings.source === null
          ? ""
          : ` (does ${this.#settings.source} import "@vixeny/knitting/worker"?)`;
    return new WorkerStartError(`Worker ${index} could not start: ${why}${hint}`, error === undefined ? {} : { cause: error });
  }

  #fail(reason: KnitError): void {
    if (this.failure !== null || this.#stopping) return;
    this.failure = reason;
    this.#debug.host?.(`fails: ${reason.message}`);
    this.#host.fail(reason);
    void this.stop();
  }

  #watchNoStart(): void {
    this.#host.onWait = null;
    this.#slow.stop();
  }

  /** Ends every worker and waits until it has really ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#watchNoStart();
    this.#starter.discard();
    const living = this.#places.flatMap(({ handle }) => handle ?? []);
    for (const place of this.#places) {
      place.cancel?.();
      place.cancel = null;
    }
    // The word first: a worker in native code leaves it at once, instead of at the end of its slice.
    for (let index = 0; index < this.#places.length; index++) this.#host.stop(index);
    await Promise.all(
      living.map(async (handle) => {
        await handle.terminate();
        await handle.ended;
      }),
    );
  }

  /** Rejects what is open, ends the workers, lets go of the memory. */
  async shutdown(): Promise<void> {
    const reason = this.failure ?? new PoolClosedError();
    this.#host.fail(reason);
    await this.stop();
    // Again: an accessor that ends the pool while an argument is read goes on with its call.
    this.#host.fail(reason);
    this.#host.close();
    this.#debug.host?.("is shut down");
  }
}

function hardTimeout(ms: number): HardTimeoutError {
  return new HardTimeoutError(`The call has occupied its worker for more than ${ms} ms (worker.hardTimeoutMs); the worker is replaced`);
}

function fromWorker(failure: SerializedFailure): KnitError {
  const error = failure.code === "KNT_TASK_BINDING" ? new TaskBindingError(failure.message) : new WorkerStartError(failure.message);
  error.stack = failure.stack.startsWith(error.name) ? failure.stack : `${error.name}: ${failure.stack}`;
  return error;
}
