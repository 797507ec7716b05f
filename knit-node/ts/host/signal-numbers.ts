/**
 * Signals by number, as Linux numbers them on the machines that runtimes run on; worker processes are on Linux only.
 *
 * Not from `node:os`: Deno loads that at the first touch and lets continuations of promises run meanwhile. What such a one then asked of the same
 * module, as `shutdown()` does, found it half made.
 */

// From 1, without gaps.
const NAMES = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS".split(" ");

export const SIGKILL = 9;
export const SIGTERM = 15;

/** `SIGSEGV` for 11; real-time signals have no names. */
export function signalName(number: number): string {
  const name = NAMES[number - 1];
  return name === undefined ? `signal ${number}` : `SIG${name}`;
}
