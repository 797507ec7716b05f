// The same functions as tasks of the pool.
import { task } from "@vixeny/knitting";
import * as work from "./work.js";

export const clock = task({ f: work.clock });
export const empty = task({ f: work.empty });
export const echo = task({ f: (/** @type {unknown} */ value) => work.echo(value) });
export const sleep = task({ f: work.sleep });
export const pause = task({ f: work.pause });
export const spin = task({ f: work.spin });
export const fib = task({ f: work.fib });
