/**
 * Processes, descriptors and names as the system shows them.
 */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Of its session: workers stay in their host's, whoever adopts them. */
  readonly session: number;
}

/** All that live. One that has ended and was not reaped does not. */
function all(): Process[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" || state === "X" ? [] : [{ pid: Number(name), parent: Number(parent), session: Number(session) }];
    } catch {
      // One that has just ended.
      return [];
    }
  });
}

/** The processes of a session, but for whom it is named after. */
export function followersOf(session: number): number[] {
  return all().flatMap((one) => (one.session === session && one.pid !== session ? [one.pid] : []));
}

/** What a process has started and not reaped. */
export function childrenOf(parent: number): number[] {
  return all().flatMap((one) => (one.parent === parent ? [one.pid] : []));
}

/** What this process has open that is memory or leads to another process, by what it is. */
export function descriptors(): string[] {
  const open = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, "")];
    } catch {
      // The one that lists them.
      return [];
    }
  });
  return open.filter((what) => /^\/memfd:knit|^socket|^pipe|pidfd|eventfd|^\/dev\/shm/.test(what)).toSorted();
}

/** Named memory, and whatever else lies there. */
export function names(): string[] {
  return readdirSync("/dev/shm").sort();
}
