/**
 * The ends of threads, over the C interface: what `WebNative` has beside `Native`.
 */
import type { PermissionNative, WebNative } from "../native.ts";
import { ENDS, THREAD, WATCH } from "./abi.ts";
import { bytesOf, lazily, writtenText } from "./library.ts";
import type { Session } from "./session.ts";

/** Every function about threads. */
export type ThreadNative = Pick<WebNative, Exclude<Extract<keyof WebNative, `thread${string}`>, "threadNotes" | keyof PermissionNative>>;

/** How a watch tells of ends: `keepAlive(true)` while some are awaited. */
export type WatchBells = (watch: number, callback: () => void) => { keepAlive(alive: boolean): void };

export function threadNative(session: Session, bells: WatchBells): ThreadNative {
  const watches = lazily(session.library, WATCH);
  const ends = lazily(session.library, ENDS);
  const thread = lazily(session.library, THREAD);
  const kept = new Map<number, { keepAlive(alive: boolean): void }>();
  const id = new Uint32Array(1);
  return {
    threadsWatch(callback) {
      const watch = session.number((out) => watches().knit_watch_create(out));
      kept.set(watch, bells(watch, callback));
      return watch;
    },
    threadsEnded(watch) {
      const ended = [];
      while (session.check(ends().knit_watch_take(watch, id)) === 1) {
        const lastWords = writtenText((buffer, size) => session.check(ends().knit_watch_words(buffer, size)));
        ended.push({ id: id[0]!, lastWords });
      }
      return ended;
    },
    threadsAlive: (watch, number) => session.check(ends().knit_watch_alive(watch, number)) === 1,
    threadsKeepAlive(watch, alive) {
      kept.get(watch)?.keepAlive(alive);
    },
    threadAnnounce: (watch, number) => session.check(thread().knit_thread_announce(watch, number)) === 1,
    threadLastWords(words) {
      const bytes = bytesOf(words);
      session.check(thread().knit_thread_last_words(bytes, bytes.length));
    },
  };
}
