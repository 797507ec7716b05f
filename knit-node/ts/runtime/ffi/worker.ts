/**
 * The worker's functions of `Native`, over the C interface.
 */
import { STOP } from "../../generated/layout.ts";
import type { PermissionNative, WebNative } from "../native.ts";
import { JOINED, MEMORY, STOPPED, WORKER, WORKER_BLOCKS, WORKER_REST } from "./abi.ts";
import type { LoopBell } from "./bells.ts";
import { lazily, written } from "./library.ts";
import type { LinkNative } from "./shared.ts";
import type { Session } from "./session.ts";

/** Every function of a worker. */
export type WorkerNative = Pick<WebNative, Extract<Exclude<keyof WebNative, keyof PermissionNative | keyof LinkNative>, `worker${string}` | `process${string}`>>;

/** Sets the bell of a worker. */
export type WorkerBells = (worker: number, index: number, callback: () => void) => LoopBell;

interface Kept {
  readonly index: number;
  bell: LoopBell | null;
}

export function workerNative(session: Session, bells: WorkerBells): WorkerNative {
  const worker = lazily(session.library, WORKER);
  const rest = lazily(session.library, WORKER_REST);
  const blocks = lazily(session.library, WORKER_BLOCKS);
  const joined = lazily(session.library, JOINED);
  const workers = new Map<number, Kept>();
  const done = (result: number): number => session.done(result);
  const memory = (handle: number, which: number): ArrayBuffer => session.memory((out) => worker().knit_worker_memory(handle, which, out));

  return {
    processJoin() {
      const place = new Uint32Array(4);
      session.check(joined().knit_process_join(place));
      const [token, index, epoch, steal] = place as unknown as [number, number, number, number];
      return { token, index, epoch, steal: steal === 1 };
    },
    processBoot: () => written((buffer, size) => session.check(joined().knit_process_boot(buffer, size)), 1 << 14),

    workerAttach(token, index, epoch, steal) {
      const place = new Uint32Array([token, index, epoch, Number(steal)]);
      const handle = session.number((out) => worker().knit_worker_attach(place, out));
      workers.set(handle, { index, bell: null });
      return handle;
    },
    workerFront: (handle) => memory(handle, MEMORY.front),
    workerHeap: (handle, heap) => memory(handle, MEMORY.heap + heap),
    workerControl: (handle) => memory(handle, MEMORY.control),
    workerOutbox: (handle, bytes) => session.memory((out) => worker().knit_worker_outbox(handle, bytes, out)),
    workerTurn(handle, bytes, spin) {
      const claimed = done(worker().knit_worker_turn(handle, bytes, spin));
      return claimed === STOPPED ? STOP : claimed;
    },
    workerOwns: (handle) => done(rest().knit_worker_owns(handle)) === 1,
    workerPause(handle, nanoseconds) {
      done(rest().knit_worker_pause(handle, nanoseconds | 0));
    },
    workerPublish(handle, bytes) {
      done(worker().knit_worker_publish(handle, bytes));
    },
    workerArm(handle) {
      if (done(worker().knit_worker_arm(handle)) === 0) return false;
      workers.get(handle)!.bell?.armed();
      return true;
    },
    workerBell(handle, callback) {
      const kept = workers.get(handle)!;
      kept.bell = bells(handle, kept.index, callback);
      kept.bell.keepAlive(true);
    },
    workerWatch(handle, watches) {
      done(rest().knit_worker_watch(handle, Number(watches)));
    },
    workerClose(handle) {
      const kept = workers.get(handle);
      if (kept === undefined) return;
      workers.delete(handle);
      done(rest().knit_worker_close(handle));
      kept.bell?.close();
    },

    workerOpenBlock(handle, lo, hi) {
      done(blocks().knit_worker_open_block(handle, lo | 0, hi | 0));
    },
    workerHoldBlock: (handle, lo, hi, bytes) => session.block((out) => blocks().knit_worker_hold_block(handle, lo | 0, hi | 0, out), bytes),
    workerCloseBlock(handle, lo, hi) {
      done(blocks().knit_worker_close_block(handle, lo | 0, hi | 0));
    },
    workerAllocBlock: (handle, bytes) => done(blocks().knit_worker_alloc_block(handle, bytes | 0)) === 1,
    workerFreeBlock(handle, lo, hi) {
      done(blocks().knit_worker_free_block(handle, lo | 0, hi | 0));
    },
    workerTrim(handle) {
      done(blocks().knit_worker_trim(handle));
    },
  };
}
