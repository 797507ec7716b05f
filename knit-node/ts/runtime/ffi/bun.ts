/**
 * The engine on Bun, through `bun:ffi`, of which little is used: numbers of 32 bits and typed arrays in, a number of 32 bits out; addresses where memory or a bell is
 * handed over. The bells are N-API's (`rings.ts`): its own callbacks from other threads touch their thread's objects, whether those are still there or not.
 */
import type { WebNative } from "../native.ts";
import { RINGS } from "./abi.ts";
import type { Functions, Signatures } from "./abi.ts";
import { hostNative } from "./host.ts";
import { lazily } from "./library.ts";
import type { ForeignNative, Library } from "./library.ts";
import { permissionNative } from "./permission.ts";
import { RingBell } from "./rings.ts";
import { Session } from "./session.ts";
import { linkNative, sharedNative } from "./shared.ts";
import { threadNative } from "./threads.ts";
import { workerNative } from "./worker.ts";

interface BunFfi {
  dlopen(path: string, symbols: Readonly<Record<string, { readonly args: readonly string[]; readonly returns: string }>>): {
    readonly symbols: Readonly<Record<string, unknown>>;
  };
  toArrayBuffer(address: number, offset: number, bytes: number, context: number, finalizer: number): ArrayBuffer;
}

const TYPES: Readonly<Record<string, string>> = { i: "i32", p: "ptr", z: "usize", a: "ptr" };

function openBun(path: string): Library {
  const ffi = process.getBuiltinModule("bun:ffi") as unknown as BunFfi;
  const open = <Group extends Signatures>(group: Group): Functions<Group> => {
    const symbols = Object.fromEntries(
      Object.entries(group).map(([name, signature]) => [name, { args: [...signature].map((letter) => TYPES[letter]!), returns: "i32" }]),
    );
    return ffi.dlopen(path, symbols).symbols as unknown as Functions<Group>;
  };
  const { symbols } = ffi.dlopen(path, { knit_finalizer: { args: [], returns: "ptr" }, knit_finalize: { args: ["ptr", "ptr"], returns: "void" } });
  const finalizer = (symbols["knit_finalizer"] as () => number)();
  /** Buffers without a byte, of which Bun makes none over foreign memory. */
  let empty: FinalizationRegistry<number> | null = null;
  return {
    open,
    show(address, bytes, token) {
      if (bytes === 0) {
        const buffer = new ArrayBuffer(0);
        empty ??= new FinalizationRegistry((unused) => (symbols["knit_finalize"] as (data: number, token: number) => void)(0, unused));
        empty.register(buffer, token);
        return buffer;
      }
      return ffi.toArrayBuffer(address, 0, bytes, token, finalizer);
    },
  };
}

/** Opens the engine. Throws what Bun throws, if a library is missing. */
export function bunNative(path: string, foreign: ForeignNative): WebNative {
  const library = openBun(path);
  const session = new Session(library);
  const ring = lazily(library, RINGS);
  return {
    ...hostNative(session, (handle, _workers, _outside, callback) => {
      const bell = new RingBell(foreign, callback);
      session.done(ring().knit_host_bell(handle, bell.ring, bell.context));
      return { bell, notes: null };
    }),
    ...workerNative(session, (handle, _index, callback) => {
      const bell = new RingBell(foreign, callback);
      session.done(ring().knit_worker_bell(handle, bell.ring, bell.context));
      return bell;
    }),
    ...sharedNative(session),
    ...linkNative(session),
    ...permissionNative(session),
    ...threadNative(session, (watch, callback) => {
      const bell = new RingBell(foreign, callback);
      session.done(ring().knit_watch_bell(watch, bell.ring, bell.context));
      return bell;
    }),
    // Each bell reaches its thread by itself.
    threadNotes() {},
  };
}
