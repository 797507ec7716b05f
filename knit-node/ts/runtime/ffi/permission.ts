/**
 * Permissions, over the C interface: texts in, texts out.
 */
import type { PermissionNative } from "../native.ts";
import { PERMISSIONS, PLANNING } from "./abi.ts";
import { bytesOf, lazily, writtenText } from "./library.ts";
import type { Session } from "./session.ts";

/** Bytes that most answers have room in; a larger one is asked for again. */
const ANSWER = 64 * 1024;

/** Words of a list, each ended by NUL. */
function listed(words: readonly string[]): Uint8Array {
  return bytesOf(words.map((word) => `${word}\0`).join(""));
}

export function permissionNative(session: Session): PermissionNative {
  const planning = lazily(session.library, PLANNING);
  const functions = lazily(session.library, PERMISSIONS);
  const done = (result: number): number => session.done(result);
  return {
    permissionPlan(request) {
      const bytes = bytesOf(request);
      return writtenText((buffer, size) => done(planning().knit_permission_plan(bytes, bytes.length, buffer, size)), ANSWER);
    },
    permissionDenial(request) {
      const bytes = bytesOf(request);
      return writtenText((buffer, size) => done(functions().knit_permission_denial(bytes, bytes.length, buffer, size)));
    },
    hostSandbox(handle, plan) {
      const bytes = bytesOf(plan);
      done(functions().knit_host_sandbox(handle, bytes, bytes.length));
    },
    threadRestrict(plan) {
      const bytes = bytesOf(plan);
      return done(functions().knit_thread_restrict(bytes, bytes.length)) === 1;
    },
    processBecome(plan, words, without) {
      const [planned, all, left] = [bytesOf(plan), listed(words), listed(without)];
      done(functions().knit_process_become(planned, planned.length, all, all.length, left, left.length));
    },
  };
}
