/**
 * The engine on Deno, through `Deno.dlopen`.
 *
 * All signatures are of numbers and buffers, which Deno calls without leaving compiled code. Deno has no finaliser for a buffer over foreign memory: a registry
 * gives it back, and what no registry gets to see goes with the thread (`knit_thread_owns`).
 *
 * # Permissions
 *
 * With `--allow-ffi` for the library alone Deno calls it, but shows no memory at an address: then N-API does, which needs no more than to load the
 * library, and all functions are opened at once, so that the permission can be dropped. That is dear: so a worker process, which starts for itself alone,
 * takes N-API's own interface (`engine.ts`).
 *
 * # Bells
 *
 * In a pool of threads they are notes (`notes.ts`): `Atomics.waitAsync` wakes as fast as N-API does, whose use would leave two descriptors behind for
 * each worker that ends. Where threads ring that are none of JavaScript's, for worker processes, they are N-API's, in the main thread of each process.
 * The end of a thread is waited for on a thread of the runtime's, while one is expected: nothing ends here unexpectedly and unheard.
 */
import type { WebNative } from "../native.ts";
import { COMMON, ENDS, EVERYTHING, HOST, NOTES, OFTEN, PLANNING, RINGS, SENDER, THREAD, WATCH, WORKER } from "./abi.ts";
import type { Functions, Signatures } from "./abi.ts";
import type { Notes } from "./bells.ts";
import { hostNative } from "./host.ts";
import type { HostBells } from "./host.ts";
import { lazily } from "./library.ts";
import type { ForeignNative, Library } from "./library.ts";
import { NoteBell, notesOf } from "./notes.ts";
import { permissionNative } from "./permission.ts";
import { RingBell } from "./rings.ts";
import { Session } from "./session.ts";
import { linkNative, sharedNative } from "./shared.ts";
import { threadNative } from "./threads.ts";
import type { WatchBells } from "./threads.ts";
import { workerNative } from "./worker.ts";
import type { WorkerBells } from "./worker.ts";

interface PointerObject {
  readonly [brand: symbol]: never;
}

interface Foreign {
  readonly parameters: readonly string[];
  readonly result: string | { readonly struct: readonly string[] };
  readonly nonblocking?: boolean;
}

type Symbols = Readonly<Record<string, unknown>>;

interface DenoFfi {
  dlopen(path: string, symbols: Readonly<Record<string, Foreign>>): { readonly symbols: Symbols };
  readonly UnsafePointer: { create(address: bigint): PointerObject | null };
  readonly UnsafePointerView: { getArrayBuffer(pointer: PointerObject, bytes: number): ArrayBuffer };
  readonly permissions: { querySync(what: { name: "ffi" }): { readonly state: string } };
}

const TYPES: Readonly<Record<string, string>> = { i: "i32", p: "buffer", z: "usize", a: "usize" };

function foreign(signature: string): Foreign {
  return { parameters: [...signature].map((letter) => TYPES[letter]!), result: "i32" };
}

/** A result that Deno hands over as bytes. An `int32_t` and a struct of nothing else come back in the same place, by every calling convention that Deno runs on. */
const IN_BYTES: Foreign["result"] = { struct: ["i32"] };

/**
 * Opens functions. Deno compiles a way of its own into each whose result is a number: that takes 0.15 ms a function, and spares each call a microsecond. What is called seldom
 * is opened without.
 */
function open(Deno: DenoFfi, path: string, group: Signatures, besides: Readonly<Record<string, Foreign>> = {}): Symbols {
  const entries = Object.entries(group).map(([name, signature]): [string, Foreign] => {
    const asked = foreign(signature);
    return [name, OFTEN.has(name) ? asked : { ...asked, result: IN_BYTES }];
  });
  const { symbols } = Deno.dlopen(path, { ...Object.fromEntries(entries), ...besides });
  return Object.fromEntries(
    Object.entries(symbols).map(([name, call]) => [name, name in besides || OFTEN.has(name) ? call : inNumbers(call as (...args: unknown[]) => Uint8Array<ArrayBuffer>)]),
  );
}

function inNumbers(call: (...args: unknown[]) => Uint8Array<ArrayBuffer>): (...args: unknown[]) => number {
  return (...args) => new Int32Array(call(...args).buffer)[0];
}

/** What only Deno has: waiting on another thread. */
interface DenoLibrary extends Library {
  /** `knit_watch_wait`, on a thread of the runtime's. */
  readonly watchWait: (watch: number) => Promise<number>;
}

const inThread = "DedicatedWorkerGlobalScope" in globalThis;

/**
 * What a host and a worker thread call on the way to their first answer. Opening the library takes a tenth of a millisecond or more, and so does each function that Deno
 * compiles. So these are opened at once, and the others with their group, when it is used.
 */
function first(): Signatures {
  if (inThread) return { ...COMMON, ...THREAD, ...WORKER, ...NOTES };
  return { ...COMMON, ...HOST, ...NOTES, ...WATCH, ...SENDER, ...PLANNING };
}

function openDeno(path: string, napi: () => ForeignNative): DenoLibrary {
  const { Deno } = globalThis as unknown as { readonly Deno: DenoFfi };
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    // What is not open by then, no program can open that drops its permission later.
    const all = open(Deno, path, EVERYTHING);
    const foreign = napi();
    return {
      open: () => all as never,
      show: (address, bytes, token) => foreign.memoryShow(address, bytes, token),
      watchWait: waiter(Deno, path),
    };
  }
  const opened = open(Deno, path, first(), { knit_finalize: { parameters: ["usize", "usize"], result: "void" } });
  const finalize = opened["knit_finalize"] as (data: number, token: number) => void;
  const collected = new FinalizationRegistry<number>((token) => finalize(0, token));
  const tokens = new WeakMap<ArrayBuffer, number>();
  return {
    open<Group extends Signatures>(group: Group) {
      const symbols = Object.keys(group).every((name) => name in opened) ? opened : open(Deno, path, group);
      return symbols as unknown as Functions<Group>;
    },
    show(address, bytes, token) {
      const pointer = Deno.UnsafePointer.create(BigInt(address));
      if (pointer === null) throw new RangeError("the engine has handed out memory at address 0");
      const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, bytes);
      collected.register(buffer, token, buffer);
      tokens.set(buffer, token);
      return buffer;
    },
    hide(buffer) {
      const token = tokens.get(buffer);
      if (token === undefined || !collected.unregister(buffer)) return;
      // Before the memory goes.
      buffer.transfer(0);
      finalize(0, token);
    },
    watchWait: waiter(Deno, path),
  };
}

/** `knit_watch_wait`, opened when it is first called. */
function waiter(Deno: DenoFfi, path: string): (watch: number) => Promise<number> {
  let wait: ((watch: number) => Promise<number>) | null = null;
  return (watch) => {
    wait ??= Deno.dlopen(path, { knit_watch_wait: { ...foreign("i"), nonblocking: true } }).symbols["knit_watch_wait"] as (watch: number) => Promise<number>;
    return wait(watch);
  };
}

/** Opens the engine. Throws what Deno throws, if the library is missing or may not be loaded. `napi` is asked when N-API is needed. */
export function denoNative(path: string, napi: () => ForeignNative): WebNative {
  const library = openDeno(path, napi);
  const session = new Session(library);
  const ring = lazily(library, RINGS);
  const note = lazily(library, NOTES);
  const ends = lazily(library, ENDS);
  /** Those of the pool that this thread works for. */
  let ours: Notes | null = null;

  const host: HostBells = (handle, workers, outside, callback) => {
    if (outside) {
      const bell = new RingBell(napi(), callback);
      session.done(ring().knit_host_bell(handle, bell.ring, bell.context));
      return { bell, notes: null };
    }
    const notes = notesOf(handle, workers);
    session.takeNotes().open(notes);
    session.done(note().knit_host_notes(handle, notes.pool));
    return { bell: new NoteBell(notes, 0, callback), notes };
  };

  const worker: WorkerBells = (handle, index, callback) => {
    if (ours === null) {
      const bell = new RingBell(napi(), callback);
      session.done(ring().knit_worker_bell(handle, bell.ring, bell.context));
      return bell;
    }
    session.takeNotes().open(ours);
    session.done(note().knit_worker_notes(handle, ours.pool));
    return new NoteBell(ours, index + 1, callback);
  };

  const watch: WatchBells = (number, callback) => {
    let awaited = false;
    let waits = false;
    const wait = async (): Promise<void> => {
      waits = true;
      while (awaited) {
        await library.watchWait(number);
        callback();
      }
      waits = false;
    };
    return {
      keepAlive(alive) {
        awaited = alive;
        if (!alive) session.check(ends().knit_watch_release(number));
        else if (!waits) void wait();
      },
    };
  };

  return {
    ...sharedNative(session),
    ...linkNative(session),
    ...permissionNative(session),
    ...hostNative(session, host),
    ...workerNative(session, worker),
    ...threadNative(session, watch),
    threadNotes(notes) {
      ours = notes;
    },
    ...(library.hide === undefined ? {} : { memoryHide: library.hide }),
  };
}
