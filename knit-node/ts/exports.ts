/**
 * What the package exports wherever it is imported: in a program (`index.ts`), in a worker process (`worker-index.ts`) and on Bun (`bun-index.ts`, which takes the latter's `createPool`).
 */
export { importTask, task, Task } from "./api/task.ts";
export { NativeTask, nativeTask } from "./api/native-task.ts";
export { setModuleUrl } from "./api/caller.ts";
export { Envelope } from "./api/envelope.ts";
export {
  AbortSlotsExhaustedError,
  ExitInWorkerError,
  HardTimeoutError,
  KnitError,
  OptionError,
  PermissionDeniedError,
  PermissionUnenforceableError,
  PoolClosedError,
  PoolInWorkerError,
  QueueFullError,
  TaskBindingError,
  TaskTimeoutError,
  UnsupportedValueError,
  WorkerCrashedError,
  WorkerStartError,
} from "./api/errors.ts";
export { isMain } from "./runtime/current.ts";
