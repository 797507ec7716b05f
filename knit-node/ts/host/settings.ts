/** What a host must know of its pool's options. */
import type { InlinerOptions } from "../api/options.ts";
import type { ProcessSettings } from "../api/process-options.ts";

export interface HostSettings {
  readonly threads: number;
  readonly steal: boolean;
  readonly balancer: number;
  readonly arenaBytes: number;
  readonly maxPayloadBytes: number;
  readonly inliner: Required<InlinerOptions> | null;
  readonly abortCapacity: number;
  /** How workers are started, if they are processes. */
  readonly process: ProcessSettings | null;
  readonly maxQueue: number;
  readonly hardTimeoutMs: number;
}
