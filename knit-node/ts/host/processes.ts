/**
 * The worker processes of a pool: started and watched by the engine, so that all runtimes do it alike.
 *
 * # How one ends
 *
 * It is asked to (by the word in its cell, which wakes it), then by SIGTERM, then by SIGKILL. Its end is known from its pidfd, the reason from three
 * places: what it said through its reply ring, its exit code or signal, the last lines of its standard error.
 */
import { KnitError, WorkerStartError } from "../api/errors.ts";
import type { ProcessSettings } from "../api/process-options.ts";
import { encodeAlone } from "../codec/alone.ts";
import { behindStarter, order, workerCommand } from "../runtime/command.ts";
import type { Native } from "../runtime/native.ts";
import { environment, thisRuntime } from "../runtime/system.ts";
import { programOf } from "../runtime/target.ts";
import type { ProcessBoot, Starter, WorkerBoot, WorkerHandle, WorkerListener, WorkerNote, WorkerSettings } from "../runtime/runtime.ts";
import type { Host } from "./host.ts";
import { SIGKILL, SIGTERM, signalName } from "./signal-numbers.ts";
import { advice } from "./limits.ts";

/** Milliseconds that a worker has to end after it was asked to. */
const ASKED_MS = 500;
/** Milliseconds that it has after SIGTERM. */
const TERMINATED_MS = 1000;

interface Running {
  readonly listener: WorkerListener;
  readonly resolve: () => void;
  /** What nobody in it has caught. */
  error: unknown;
}

export class Processes implements Starter {
  readonly #native: Native;
  readonly #host: Host;
  readonly #settings: ProcessSettings;
  readonly #running: (Running | undefined)[] = [];
  #told = false;

  constructor(native: Native, host: Host, settings: ProcessSettings) {
    this.#native = native;
    this.#host = host;
    this.#settings = settings;
    host.replies.onNote = (worker, note) => this.#onNote(worker, note);
    host.onExits = () => this.#onExits();
  }

  discard(): void {}

  /** Starts a worker process. It does not keep this one alive. */
  start(boot: WorkerBoot, settings: WorkerSettings, listener: WorkerListener): WorkerHandle {
    const { index } = boot;
    this.#tell(boot, settings);
    const plan = settings.permissions?.plan ?? null;
    const program = this.#settings.command === null && plan !== null ? programOf(this.#settings.runtime ?? thisRuntime).path : null;
    const command = workerCommand(this.#settings, settings, program);
    try {
      this.#native.hostSpawn(this.#host.handle, index, order(command, plan?.env ?? environment(), plan?.cwd, this.#settings.named));
    } catch (cause) {
      throw cannotStart(cause, this.#settings, command[0]);
    }
    let resolve!: () => void;
    const ended = new Promise<void>((done) => (resolve = done));
    const running: Running = { listener, resolve, error: undefined };
    this.#running[index] = running;
    let terminated: Promise<void> | null = null;
    return { ended, terminate: () => (terminated ??= this.#terminate(index, running, ended)) };
  }

  /** What the workers must know: once, since it is the same for all. */
  #tell(boot: WorkerBoot, { permissions }: WorkerSettings): void {
    if (this.#told) return;
    if (permissions !== null && permissions.plan !== null) {
      // A starter puts it on; how processes print is to be known here all the same.
      const { kernel: _, ...without } = permissions.plan;
      this.#native.hostSandbox(this.#host.handle, !behindStarter(this.#settings) ? permissions.text : JSON.stringify(without));
    }
    const { token: _, index: __, epoch: ___, steal: ____, memories: _____, restriction, ...rest } = boot;
    const { runtime } = this.#settings;
    // Each runtime strips types in its own way, so the text of a function is another one there: order and names must do.
    const same = runtime === null || runtime === thisRuntime;
    const bindings = same ? boot.bindings : boot.bindings.map((binding) => ("fingerprint" in binding ? { ...binding, fingerprint: "" } : binding));
    const data = encodeAlone({ ...rest, runtime, bindings, restriction: restriction === null ? null : { plan: "", boot: restriction.boot } } satisfies ProcessBoot, "boot");
    this.#native.hostBoot(this.#host.handle, boot.bindings.map((binding) => (binding.kind === "native" ? binding.name : binding.key)), data);
    this.#told = true;
  }

  #onNote(worker: number, note: WorkerNote): void {
    const running = this.#running[worker];
    if (running === undefined) return;
    if ("dies" in note) running.error = note.dies;
    else running.listener.message(note);
  }

  #onExits(): void {
    for (;;) {
      const end = this.#native.hostTakeExit(this.#host.handle);
      if (end === "") return;
      const [worker, code, signal, ...stderr] = end.split("\0");
      this.#onExit(Number(worker), code === "" ? null : Number(code), signal === "" ? null : signalName(Number(signal)), stderr.join("\0"));
    }
  }

  #onExit(worker: number, code: number | null, signal: string | null, stderr: string): void {
    // What it had to say comes before its end.
    this.#host.collect();
    const running = this.#running[worker];
    if (running === undefined) return;
    this.#running[worker] = undefined;
    running.listener.exit(code, running.error, { signal, stderr });
    running.resolve();
  }

  async #terminate(index: number, running: Running, ended: Promise<void>): Promise<void> {
    if (this.#running[index] !== running) return;
    this.#host.stop(index);
    this.#host.awaitEnd(1);
    const kill = (signal: number): void => {
      if (this.#running[index] === running) this.#native.hostKill(this.#host.handle, index, signal);
    };
    const timers = [setTimeout(kill, ASKED_MS, SIGTERM), setTimeout(kill, ASKED_MS + TERMINATED_MS, SIGKILL)];
    await ended;
    timers.forEach((timer) => clearTimeout(timer));
    this.#host.awaitEnd(-1);
  }
}

/** Why a process could not be started, with what to do about it. */
function cannotStart(cause: unknown, { prefix, runtime, command }: ProcessSettings, program: string): KnitError {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  const missing = code === "KNT_SPAWN" && /No such file or directory/.test(String(message));
  const hint = !missing
    ? advice(String(message))
    : command !== null && prefix.length === 0
      ? ": it is the first word of worker.command"
    : prefix.length > 0
      ? ": worker.processCommandPrefix begins with a program that is not in PATH"
      : runtime !== null
        ? `: worker.processRuntime is "${runtime}", and there is no ${program} in PATH. Install it, or put the folder that holds it into PATH`
        : "";
  return new WorkerStartError(`A worker process could not be started: ${String(message)}${hint}`, { cause });
}
