// The collector of runtimes on V8.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let gc: (() => void) | undefined;

/** The flag is set at the first use, not before: with another set of flags V8 refuses the code that runtimes carry compiled, and everything starts at half the speed. */
export function collect(): void {
  if (gc === undefined) {
    setFlagsFromString("--expose-gc");
    gc = runInNewContext("gc") as () => void;
  }
  gc();
}
