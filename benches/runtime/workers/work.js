// What every contestant's worker runs: the same functions, so that only the way to them differs.
//
// The files in this folder are plain JavaScript on purpose. Stripping types when a worker starts costs every contestant the
// same milliseconds and megabytes, and would flatter the ratios of start-up and memory.

/** Milliseconds on a clock that all threads and processes share, as far as the runtime's time origin is exact. */
export const clock = () => performance.timeOrigin + performance.now();

export const empty = () => undefined;

/**
 * @template T
 * @param {T} value
 */
export const echo = (value) => value;

/**
 * Occupies the worker without using its core; answers with the clock at the end.
 * @param {number} ms
 */
export const sleep = (ms) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return clock();
};

/**
 * Occupies nothing, and is not settled before.
 * @param {number} ms
 * @returns {Promise<void>}
 */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Occupies the worker and its core; answers with the clock at the end.
 * @param {number} ms
 */
export const spin = (ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return clock();
};

/**
 * @param {number} n
 * @returns {number}
 */
export const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
