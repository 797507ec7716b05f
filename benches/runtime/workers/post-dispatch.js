// What a bare worker does with a message `[id, function, argument]`: the least that can be called a function call.
import * as work from "./work.js";

const functions = [work.clock, work.empty, work.echo, work.sleep, work.spin, work.fib];

/**
 * @param {[number, number, unknown]} message
 * @returns {[number, unknown]}
 */
export const answer = (message) => {
  const f = /** @type {(value: unknown) => unknown} */ (functions[message[1]]);
  return [message[0], f(message[2])];
};
