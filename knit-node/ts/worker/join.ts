/**
 * A worker that is a process: how it finds its pool, and how it speaks of itself.
 *
 * It has no channel to its host but the pool's memory. What its host tells it lies there; what it says itself goes through its reply ring as notes, which
 * belong to no call: that it serves, why it cannot, what it dies of. What it cannot say in this way is on its standard error.
 */
import { WorkerStartError } from "../api/errors.ts";
import { encodeAlone, decodeAlone } from "../codec/alone.ts";
import { FRAME_HEADER, GRANULE, KIND_NOTE } from "../generated/layout.ts";
import type { Native } from "../runtime/native.ts";
import { isWorkerWord, standIn } from "../runtime/role.ts";
import type { EarlyBoot, ProcessBoot, WorkerBoot, WorkerNote } from "../runtime/runtime.ts";
import { executable, thisRuntime } from "../runtime/system.ts";
import { onProcess } from "./late-process.ts";

/** Finds the place that this process was started for. Throws if it is not the runtime that was asked for. */
export function join(native: Native): WorkerBoot {
  const place = native.processJoin();
  // Tasks see what the program was started with, and this is not it.
  onProcess(({ argv }) => {
    if (isWorkerWord(argv.at(-1))) argv.pop();
  });
  const { runtime, ...boot } = decodeAlone(native.processBoot()) as ProcessBoot;
  // Else it would run what the pool's options say of another one.
  if (runtime !== null && runtime !== thisRuntime) throw new WorkerStartError(standIn(runtime, thisRuntime, executable()));
  return { ...boot, ...place, memories: null };
}

/** Says why this worker cannot serve, or what it dies of, for a process that has not taken its place yet. */
export function sayFailure(native: Native, boot: EarlyBoot, message: WorkerNote): void {
  const handle = native.workerAttach(boot.token, boot.index, boot.epoch, boot.steal);
  const bytes = encodeAlone(message, "failure");
  const padded = (FRAME_HEADER + bytes.byteLength + (GRANULE - 1)) & -GRANULE;
  const out = native.workerOutbox(handle, padded);
  new Int32Array(out, 0, 4).set([bytes.byteLength, KIND_NOTE << 16, 0, 0]);
  new Uint8Array(out).set(bytes, FRAME_HEADER);
  native.workerPublish(handle, padded);
}

/** What a process does to end itself, taken before the guards are put up. */
export function ender(): (code: number) => void {
  const { Deno } = globalThis as unknown as { readonly Deno?: { exit(code: number): never } };
  // Node's own way ends in `reallyExit`, which is guarded, too.
  if (Deno !== undefined) return Deno.exit.bind(Deno);
  const { reallyExit } = process as unknown as { reallyExit?(code: number): void };
  if (reallyExit === undefined) return process.exit.bind(process);
  return (code) => {
    process.emit("exit", code);
    reallyExit.call(process, code);
  };
}

/** An error that nobody has caught, as far as it can travel. */
export function portable(error: unknown): unknown {
  try {
    encodeAlone(error, "error");
    return error;
  } catch {
    return error instanceof Error ? new Error(`${error.name}: ${error.message}`) : String(error);
  }
}
