/** What a host must know of its pool's options, and how the engine is told. */
import type { InlinerOptions } from "../api/options.ts";
import type { ProcessSettings } from "../api/process-options.ts";
import type { Native } from "../runtime/native.ts";

export interface HostSettings {
  readonly threads: number;
  readonly steal: boolean;
  readonly balancer: number;
  readonly arenaBytes: number;
  readonly initialBytes: number;
  readonly maxPayloadBytes: number;
  readonly inliner: Required<InlinerOptions> | null;
  readonly abortCapacity: number;
  /** How workers are started, if they are processes. */
  readonly process: ProcessSettings | null;
  readonly maxQueue: number;
  readonly hardTimeoutMs: number;
}

/** Makes the pool's memory. If the system has less than is to be taken at the start, there is no pool. */
export function createHost(native: Native, settings: HostSettings): number {
  const { threads, steal, arenaBytes, abortCapacity, balancer, hardTimeoutMs, initialBytes } = settings;
  const handle = native.hostCreate(threads, steal, arenaBytes, abortCapacity, -1, balancer, hardTimeoutMs > 0);
  if (initialBytes === 0) return handle;
  try {
    native.hostReserve(handle, initialBytes);
  } catch (error) {
    native.hostClose(handle);
    throw error;
  }
  return handle;
}
