/**
 * The functions of `SharedNative`, and what a worker process shares with its host, over the C interface.
 */
import type { Native, SharedNative } from "../native.ts";
import { LINKS, SENDER, SHARED } from "./abi.ts";
import { bytesOf, lazily } from "./library.ts";
import type { Session } from "./session.ts";

/** The longest sleep that 32 bits tell. */
const LONGEST_MS = 0x7fff_ffff;

export function sharedNative(session: Session): SharedNative {
  const shared = lazily(session.library, SHARED);
  const senders = lazily(session.library, SENDER);
  return {
    sharedCreate: (bytes) => session.number((out) => shared().knit_shared_create(bytes | 0, out)),
    sharedCreateNamed(name, bytes) {
      const text = bytesOf(name);
      return session.number((out) => shared().knit_shared_create_named(text, text.length, bytes | 0, out));
    },
    sharedOpenNamed(name) {
      const text = bytesOf(name);
      return session.number((out) => shared().knit_shared_open_named(text, text.length, out));
    },
    sharedUnlink(name) {
      const text = bytesOf(name);
      session.check(shared().knit_shared_unlink(text, text.length));
    },
    sharedClone: (handle) => session.number((out) => shared().knit_shared_clone(handle, out)),
    sharedClose(handle) {
      session.check(shared().knit_shared_close(handle));
    },
    sharedBytes: (handle) => session.number((out) => shared().knit_shared_size(handle, out)),
    sharedBuffer: (handle, bytes) => session.memory((out) => shared().knit_shared_memory(handle, bytes | 0, out)),
    sharedWait(handle, offset, value, milliseconds) {
      const limit = milliseconds > LONGEST_MS ? -1 : Math.max(0, Math.ceil(milliseconds));
      return session.check(shared().knit_shared_wait(handle, offset | 0, value | 0, limit));
    },
    sharedNotify: (handle, offset, count) => session.check(shared().knit_shared_notify(handle, offset | 0, count | 0)),
    sharedSender: () => session.number((out) => senders().knit_shared_sender(out)),
    sharedPut: (handle, sender) => session.number((out) => shared().knit_shared_put(handle, sender | 0, out)),
    sharedTake: (number) => session.number((out) => shared().knit_shared_take(number | 0, out)),
    sharedForget(number) {
      session.check(shared().knit_shared_forget(number | 0));
    },
    sharedForgetAll(sender) {
      session.check(senders().knit_shared_forget_all(sender | 0));
    },
    sharedPublish: (handle) => session.number((out) => shared().knit_shared_publish(handle, out)),
    sharedFind: (number) => session.number((out) => shared().knit_shared_find(number | 0, out)),
    sharedOrigin: () => session.number((out) => shared().knit_shared_origin(out)),
  };
}

/** How a worker process passes that memory to its host, and gets it. */
export type LinkNative = Pick<Native, "processShare" | "processUnshare" | "processTakeShared">;

export function linkNative(session: Session): LinkNative {
  const links = lazily(session.library, LINKS);
  return {
    processShare: (shared) => session.number((out) => links().knit_process_share(shared, out)),
    processUnshare(number) {
      session.check(links().knit_process_unshare(number | 0));
    },
    processTakeShared: (number) => session.number((out) => links().knit_process_take_shared(number | 0, out)),
  };
}
