/**
 * The host's functions of `Native`, over the C interface.
 */
import type { PermissionNative, WebNative } from "../native.ts";
import { CONTROL, HOST, HOST_BLOCKS, HOST_REST, LINKS, MEMORY, NONE, OPTION, OPTIONS_WORDS, PROCESSES } from "./abi.ts";
import type { LoopBell, Notes } from "./bells.ts";
import { bytesOf, lazily, writtenText } from "./library.ts";
import type { Session } from "./session.ts";

/** Every function of a host. */
export type HostNative = Pick<WebNative, Extract<Exclude<keyof WebNative, keyof PermissionNative>, `host${string}`>>;

/** Sets the bell of a host; `outside`: threads ring it that are none of the pool's. */
export type HostBells = (host: number, workers: number, outside: boolean, callback: () => void) => { readonly bell: LoopBell; readonly notes: Notes | null };

interface Kept {
  readonly workers: number;
  bell: LoopBell | null;
  notes: Notes | null;
}

/** Calls of a dead worker that are told at once. */
const RETIRED = 64;

export function hostNative(session: Session, bells: HostBells): HostNative {
  const host = lazily(session.library, HOST);
  const rest = lazily(session.library, HOST_REST);
  const control = lazily(session.library, CONTROL);
  const blocks = lazily(session.library, HOST_BLOCKS);
  const processes = lazily(session.library, PROCESSES);
  const links = lazily(session.library, LINKS);
  const hosts = new Map<number, Kept>();
  /** Notes of hosts by the tokens that were told for their workers. */
  const told = new Map<number, Notes>();
  const done = (result: number): number => session.done(result);
  const memory = (handle: number, which: number): ArrayBuffer => session.memory((out) => host().knit_host_memory(handle, which, out));

  return {
    hostCreate(workers, steal, arenaBytes, abortSlots, spinMicroseconds, balancer, alone) {
      const options = new Int32Array(OPTIONS_WORDS);
      done(host().knit_options_default(options));
      options.set([workers, Number(steal), arenaBytes | 0, abortSlots, spinMicroseconds], OPTION.workers);
      options.set([balancer, Number(alone)], OPTION.balancer);
      const handle = session.number((out) => host().knit_host_create(options, out));
      hosts.set(handle, { workers, bell: null, notes: null });
      return handle;
    },
    hostToken(handle) {
      const token = session.number((out) => host().knit_host_token(handle, out));
      const notes = hosts.get(handle)?.notes;
      if (notes != null) told.set(token, notes);
      return token;
    },
    hostNotes(token) {
      const notes = told.get(token) ?? null;
      told.delete(token);
      return notes;
    },
    hostFront: (handle) => memory(handle, MEMORY.front),
    hostHeap: (handle, heap) => memory(handle, MEMORY.heap + heap),
    hostControl: (handle) => memory(handle, MEMORY.control),
    hostOutbox: (handle, bytes) => session.memory((out) => host().knit_host_outbox(handle, bytes, out)),
    hostSubmit(handle, bytes) {
      done(rest().knit_host_submit(handle, bytes));
    },
    hostTurn: (handle, bytes, spin) => done(host().knit_host_turn(handle, bytes, spin)),
    hostArm(handle) {
      if (done(host().knit_host_arm(handle)) === 0) return false;
      hosts.get(handle)!.bell?.armed();
      return true;
    },
    hostBell(handle, callback, outside) {
      const kept = hosts.get(handle)!;
      Object.assign(kept, bells(handle, kept.workers, outside, callback));
    },
    hostKeepAlive(handle, alive) {
      hosts.get(handle)?.bell?.keepAlive(alive);
    },
    hostBegin: (handle, worker) => session.number((out) => host().knit_host_begin(handle, worker, out)),
    hostStop(handle, worker) {
      done(rest().knit_host_stop(handle, worker));
    },
    hostRouse(handle) {
      done(rest().knit_host_rouse(handle));
    },
    hostRetire(handle, worker) {
      const calls: number[] = [];
      const some = new Uint32Array(RETIRED);
      done(rest().knit_host_retire(handle, worker));
      for (let count = RETIRED; count === RETIRED; ) {
        count = done(rest().knit_host_retired(handle, some, RETIRED));
        calls.push(...some.subarray(0, count));
      }
      return calls;
    },
    hostEvacuate(handle, worker) {
      done(rest().knit_host_evacuate(handle, worker));
    },
    hostClose(handle) {
      const kept = hosts.get(handle);
      if (kept === undefined) return;
      hosts.delete(handle);
      done(rest().knit_host_close(handle));
      kept.bell?.close();
      if (kept.notes !== null) session.notes?.close(kept.notes.pool);
    },

    hostTakeAbort: (handle) => some(done(control().knit_host_take_abort(handle))),
    hostAbort: (handle, slot, ticket) => done(control().knit_host_abort(handle, slot, ticket | 0)) === 1,
    hostReleaseAbort: (handle, slot, ticket) => done(control().knit_host_release_abort(handle, slot, ticket | 0)) === 1,
    hostDeadline(handle, call, generation, milliseconds) {
      done(control().knit_host_deadline(handle, call | 0, generation | 0, milliseconds | 0));
    },
    hostCancelDeadline: (handle, call) => done(control().knit_host_cancel_deadline(handle, call | 0)) === 1,
    hostNextDeadline: (handle) => some(done(control().knit_host_next_deadline(handle))),
    hostExpire: (handle) => done(control().knit_host_expire(handle)),
    hostCancel: (handle, call, generation) => done(control().knit_host_cancel(handle, call | 0, generation | 0)) === 1,
    hostQueued: (handle) => done(control().knit_host_queued(handle)),
    hostFigures: (handle) => memory(handle, MEMORY.figures),
    hostMeasure(handle) {
      done(rest().knit_host_measure(handle));
    },
    hostRunning: (handle, worker) => some(done(control().knit_host_running(handle, worker))),
    hostTurns: (handle, worker) => session.number((out) => control().knit_host_turns(handle, worker, out)),
    hostNudge(handle, worker) {
      done(control().knit_host_nudge(handle, worker));
    },

    hostOpenBlock(handle, worker, lo, hi) {
      done(blocks().knit_host_open_block(handle, worker, lo | 0, hi | 0));
    },
    hostHoldBlock: (handle, worker, lo, hi, bytes) => session.block((out) => blocks().knit_host_hold_block(handle, worker, lo | 0, hi | 0, out), bytes),
    hostKept(handle, worker, call) {
      done(blocks().knit_host_kept(handle, worker, call | 0));
    },
    hostLendBlock: (handle, bytes) => session.block((out) => blocks().knit_host_lend_block(handle, bytes | 0, out), bytes),
    hostTakeOverBlock: (handle, lo, hi) => done(blocks().knit_host_take_over_block(handle, lo | 0, hi | 0)) === 1,
    hostCloseBlock(handle, worker, lo, hi) {
      done(blocks().knit_host_close_block(handle, worker, lo | 0, hi | 0));
    },
    hostAllocBlock: (handle, bytes) => done(blocks().knit_host_alloc_block(handle, bytes | 0)) === 1,
    hostFreeBlock(handle, lo, hi) {
      done(blocks().knit_host_free_block(handle, lo | 0, hi | 0));
    },
    hostAssignBlock(handle, call, lo, hi) {
      done(blocks().knit_host_assign_block(handle, call | 0, lo | 0, hi | 0));
    },
    hostTrim(handle) {
      done(blocks().knit_host_trim(handle));
    },
    hostReserve(handle, bytes) {
      done(blocks().knit_host_reserve(handle, bytes | 0));
    },

    hostBoot(handle, functions, data) {
      const names = bytesOf(functions.map((name) => `${name}\0`).join(""));
      done(processes().knit_host_boot(handle, names, names.length, data, data.length));
    },
    hostSpawn(handle, worker, order) {
      const bytes = bytesOf(order);
      return session.number((out) => processes().knit_host_spawn(handle, worker, bytes, bytes.length, out));
    },
    hostTakeExit: (handle) => writtenText((buffer, size) => done(processes().knit_host_take_exit(handle, buffer, size))),
    hostKill(handle, worker, signal) {
      done(processes().knit_host_kill(handle, worker, signal));
    },
    hostShare: (handle, shared) => session.number((out) => links().knit_host_share(handle, shared, out)),
    hostUnshare(handle, number) {
      done(links().knit_host_unshare(handle, number | 0));
    },
    hostTakeShared: (handle, worker, number) => session.number((out) => links().knit_host_take_shared(handle, worker, number | 0, out)),
  };

  function some(result: number): number {
    return result === NONE ? -1 : result;
  }
}
