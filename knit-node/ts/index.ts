/**
 * `@vixeny/knitting`: typed function calls that run on other cores.
 *
 * @module
 */
export * from "./exports.ts";
export { createPool } from "./api/pool.ts";
export type { ArgumentCall, Call, CallOptions, OptionalCall, PlainFunction, Pool, Tasks } from "./api/pool.ts";
export type { AbortableTaskOptions, ImportTaskOptions, SinglePool, TaskOptions } from "./api/task.ts";
export type { ProcessOptions, ProcessRuntime, ProcessSharedMemory, ProcessSharedMemoryOptions } from "./api/process-options.ts";
export type {
  Permission,
  PermissionEnforcer,
  PermissionKey,
  PermissionOptions,
  PermissionOutcome,
  PermissionRefusal,
  PermissionReport,
  PermissionScope,
} from "./api/permission.ts";
export type { AbortablePromise, AbortOption, AbortTools } from "./api/abort.ts";
export type { DebugOption } from "./api/debug.ts";
export type { Figures, PoolStats, Times } from "./api/stats.ts";
export type { TaskTimeout } from "./api/timeout.ts";
export type { BootstrapOptions, InlinerOptions, PoolOptions, Strategy } from "./api/options.ts";
export type { ResourceLimits } from "./runtime/runtime.ts";
