/**
 * What the engine offers to JavaScript: numbers in, numbers out. `knit_sched::port` describes the control block, the Rust sources of the
 * binding each function.
 */
import type { Notes } from "./ffi/bells.ts";

export interface Native extends SharedNative, PermissionNative {
  /** `balancer` is a place in `BALANCERS`; `alone`: workers claim one call at a time, so that `hostRunning` names the one that runs. */
  hostCreate(
    workers: number,
    steal: boolean,
    arenaBytes: number,
    abortSlots: number,
    spinMicroseconds: number,
    balancer: number,
    alone: boolean,
  ): number;
  hostToken(handle: number): number;
  hostFront(handle: number): ArrayBuffer;
  hostHeap(handle: number, heap: number): ArrayBuffer;
  hostControl(handle: number): ArrayBuffer;
  hostOutbox(handle: number, bytes: number): ArrayBuffer;
  hostSubmit(handle: number, bytes: number): void;
  hostTurn(handle: number, bytes: number, spinMicroseconds: number): number;
  hostArm(handle: number): boolean;
  /** `outside`: threads ring it that belong to no worker thread, as for worker processes. */
  hostBell(handle: number, callback: () => void, outside: boolean): void;
  hostKeepAlive(handle: number, alive: boolean): void;
  hostBegin(handle: number, worker: number): number;
  hostStop(handle: number, worker: number): void;
  hostRouse(handle: number): void;
  hostRetire(handle: number, worker: number): number[];
  hostEvacuate(handle: number, worker: number): void;
  /** A slot for a call that can be aborted (`FLAG_ABORT`), or -1 if all are in use. Its ticket is what its word says then. */
  hostTakeAbort(handle: number): number;
  /** Aborts the call that has this slot, and wakes the workers that watch. False if no call has it under that ticket any more. */
  hostAbort(handle: number, slot: number, ticket: number): boolean;
  /** When the call is over: answered, removed from the queue, or named by `hostRetire`; not when merely its promise is settled. */
  hostReleaseAbort(handle: number, slot: number, ticket: number): boolean;
  /** Gives a call a deadline, so many milliseconds from now (below 2^32), in place of the one it may have. */
  hostDeadline(handle: number, call: number, generation: number, milliseconds: number): void;
  /** To be called when the call is settled. False if it had no deadline. */
  hostCancelDeadline(handle: number, call: number): boolean;
  /** Milliseconds until something may expire, 0 if something is due, -1 if nothing waits. */
  hostNextDeadline(handle: number): number;
  /** How many calls expired: `CALL_WORDS` control words each, from `CONTROL_ENTRIES`. To be called until it returns 0. */
  hostExpire(handle: number): number;
  /** Removes a call that no worker has taken, handed over or not: it never runs, it is over. False if it is too late. */
  hostCancel(handle: number, call: number, generation: number): boolean;
  /** Calls that were handed over and that no worker has taken yet. */
  hostQueued(handle: number): number;
  /** The block of figures: f64, `FIGURES` columns, a row for the pool, then one for each worker. Made once. */
  hostFigures(handle: number): ArrayBuffer;
  /** Brings it up to date. */
  hostMeasure(handle: number): void;
  /** Milliseconds since a worker claimed what it runs now, and the call from `CONTROL_ENTRIES` on (`CALL_WORDS`); -1 if it runs nothing. */
  hostRunning(handle: number, worker: number): number;
  /** How many turns a worker has taken, wrapping: one that takes none after a nudge is kept from it by its own event loop. */
  hostTurns(handle: number, worker: number): number;
  /** Wakes a worker if it sleeps. */
  hostNudge(handle: number, worker: number): void;
  hostOpenBlock(handle: number, worker: number, lo: number, hi: number): void;
  hostHoldBlock(handle: number, worker: number, lo: number, hi: number, bytes: number): ArrayBuffer | null;
  hostKept(handle: number, worker: number, call: number): void;
  hostLendBlock(handle: number, bytes: number): ArrayBuffer | null;
  hostTakeOverBlock(handle: number, lo: number, hi: number): boolean;
  hostCloseBlock(handle: number, worker: number, lo: number, hi: number): void;
  hostAllocBlock(handle: number, bytes: number): boolean;
  hostFreeBlock(handle: number, lo: number, hi: number): void;
  hostAssignBlock(handle: number, call: number, lo: number, hi: number): void;
  hostTrim(handle: number): void;
  /** Before any worker begins: has the pages of so many bytes of every heap set up, and keeps them. */
  hostReserve(handle: number, bytes: number): void;
  hostClose(handle: number): void;
  /** Takes back a window on a pool's memory: the buffer is empty from then on. Absent where emptying it does that. */
  memoryHide?(buffer: ArrayBuffer): void;

  /** Tells all worker processes: the functions' names by number, and a message for this package's own. */
  hostBoot(handle: number, functions: readonly string[], data: Uint8Array): void;
  /** Starts a process by a command as `knit_sched::process::order` reads it; returns its id. */
  hostSpawn(handle: number, worker: number, order: string): number;
  /** The next process that has ended: place, exit code, signal, last lines of its standard error, separated by NUL; empty if there is none. */
  hostTakeExit(handle: number): string;
  hostKill(handle: number, worker: number, signal: number): void;

  /** Passes memory (a handle of `SharedNative`) to every worker process, also to those that start later; returns the number for a message. */
  hostShare(handle: number, shared: number): number;
  /** No message will name that number any more. */
  hostUnshare(handle: number, number: number): void;
  /** A handle for the memory that an answer of a worker process names, once; 0 if the worker has not passed it. */
  hostTakeShared(handle: number, worker: number, number: number): number;
  /** The same in a worker process, for its answers and for its host's calls. */
  processShare(shared: number): number;
  processUnshare(number: number): void;
  processTakeShared(number: number): number;

  /** Finds the pool and the place that this process was started for. */
  processJoin(): { readonly token: number; readonly index: number; readonly epoch: number; readonly steal: boolean };
  processBoot(): Uint8Array;

  workerAttach(token: number, index: number, epoch: number, steal: boolean): number;
  workerFront(handle: number): ArrayBuffer;
  workerHeap(handle: number, heap: number): ArrayBuffer;
  workerControl(handle: number): ArrayBuffer;
  workerOutbox(handle: number, bytes: number): ArrayBuffer;
  workerTurn(handle: number, bytes: number, spinMicroseconds: number): number;
  /** Whether the worker still has its place: to be asked before it writes into its shape table. */
  workerOwns(handle: number): boolean;
  /** Nanoseconds between two looks of a search. */
  workerPause(handle: number, nanoseconds: number): void;
  workerPublish(handle: number, bytes: number): void;
  workerArm(handle: number): boolean;
  workerBell(handle: number, callback: () => void): void;
  /** Whether tasks of this worker must hear of an abort while it sleeps. `CONTROL_ABORTS` tells after each turn whether there was one. */
  workerWatch(handle: number, watches: boolean): void;
  workerOpenBlock(handle: number, lo: number, hi: number): void;
  workerHoldBlock(handle: number, lo: number, hi: number, bytes: number): ArrayBuffer | null;
  workerCloseBlock(handle: number, lo: number, hi: number): void;
  workerAllocBlock(handle: number, bytes: number): boolean;
  workerFreeBlock(handle: number, lo: number, hi: number): void;
  workerTrim(handle: number): void;
  workerClose(handle: number): void;
}

/**
 * What the engine offers beside where workers are the web's. Watches and announcements: `knit_sched::port::threads`. Notes: `ffi/notes.ts`.
 */
export interface WebNative extends Native {
  /** The words by which a worker that is given this token is woken, once; null if it needs none. */
  hostNotes(token: number): Notes | null;
  threadsWatch(callback: () => void): number;
  threadsEnded(watch: number): { readonly id: number; readonly lastWords: string }[];
  threadsAlive(watch: number, id: number): boolean;
  /** Whether an end is awaited: only then the callback is sure to be called, and the event loop goes on until it is. */
  threadsKeepAlive(watch: number, alive: boolean): void;
  threadAnnounce(watch: number, id: number): boolean;
  threadLastWords(words: string): void;
  /** In a worker, before it takes its place. */
  threadNotes(notes: Notes | null): void;
}

/** Permissions: `knit_perm::json` describes the texts, `knit_perm::border` what is done with them. */
export interface PermissionNative {
  /** `{ policy, target, env }` as JSON; answers `{ plan, caveats }` or `{ error }` as JSON. */
  permissionPlan(request: string): string;
  /** `{ plan, failure }` as JSON; answers `{ denial }` or `{ error }` as JSON. */
  permissionDenial(request: string): string;
  /** Puts the sandbox of a plan (JSON) on every process that the pool starts from now on. */
  hostSandbox(handle: number, plan: string): void;
  /** Restricts the calling thread for good, as a plan (JSON) says. False if that has nothing for the kernel. */
  threadRestrict(plan: string): boolean;
  /** Becomes another program in the sandbox of a plan (JSON), without these variables of the environment. Returns only by an error. */
  processBecome(plan: string, words: readonly string[], without: readonly string[]): void;
}

/** Memory that users share on purpose; `knit-node/src/shared.rs` describes each. A number 0 stands for what is gone. */
export interface SharedNative {
  sharedCreate(bytes: number): number;
  sharedCreateNamed(name: string, bytes: number): number;
  sharedOpenNamed(name: string): number;
  sharedUnlink(name: string): void;
  sharedClone(handle: number): number;
  sharedClose(handle: number): void;
  sharedBytes(handle: number): number;
  sharedBuffer(handle: number, bytes: number): ArrayBuffer;
  sharedWait(handle: number, offset: number, value: number, milliseconds: number): number;
  sharedNotify(handle: number, offset: number, count: number): number;
  sharedSender(): number;
  sharedPut(handle: number, sender: number): number;
  sharedTake(number: number): number;
  sharedForget(number: number): void;
  sharedForgetAll(sender: number): void;
  sharedPublish(handle: number): number;
  sharedFind(number: number): number;
  sharedOrigin(): number;
}
