/**
 * `@vixeny/knitting`: typed function calls that run on other cores.
 *
 * @module
 */
export { createPool } from "./api/pool.ts";
export type { Call, Pool, Tasks } from "./api/pool.ts";
export { task, Task } from "./api/task.ts";
export type { TaskOptions } from "./api/task.ts";
export type { PoolOptions, Strategy } from "./api/options.ts";
export type { ResourceLimits } from "./runtime/runtime.ts";
export { setModuleUrl } from "./api/caller.ts";
export { Envelope } from "./api/envelope.ts";
export {
  KnitError,
  OptionError,
  PoolClosedError,
  PoolInWorkerError,
  TaskBindingError,
  UnsupportedValueError,
  WorkerCrashedError,
  WorkerStartError,
} from "./api/errors.ts";
export { isMain } from "./runtime/node.ts";
