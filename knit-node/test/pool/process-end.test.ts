/**
 * A pool keeps a process alive exactly while calls are open, and lets it end however it ends.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { script } from "./support.ts";

for (const [name, expected] of [
  ["forgets shutdown", "42\n"],
  ["never calls", "made\n"],
  ["forgets several", "0\n2\n4\n6\n"],
  ["shutdown unawaited", "closed\n"],
  ["own module", "2\n"],
  ["timeouts far away", 'in time\n{"fallback":[1]}\n'],
] as const) {
  test(`a script ends by itself: ${name}`, async () => {
    const { code, out, err } = await script("ends.ts", [name]);
    assert.deepEqual({ code, out, err }, { code: 0, out: expected, err: "" });
  });
}

for (const [name, expected] of [
  ["call in flight", "answered 400\n"],
  ["blocking call in flight", "answered\n"],
  ["timed call in flight", '{"fallback":[1]}\n'],
  ["call after quiet", "answered 200\n"],
] as const) {
  test(`a script stays alive until its calls are answered: ${name}`, async () => {
    const { code, out, err } = await script("ends.ts", [name]);
    assert.deepEqual({ code, out, err }, { code: 0, out: expected, err: "" });
  });
}

test("workers that cannot start and are ended at once do not end the process", { timeout: 120_000 }, async () => {
  const { code, signal, out, err } = await script("ends.ts", ["cannot start"]);
  assert.deepEqual({ code, signal, out, err }, { code: 0, signal: null, out: "closed\n", err: "" });
});

test("process.exit with calls in flight ends the process with that code, twenty times", { timeout: 120_000 }, async () => {
  for (let round = 0; round < 20; round++) {
    const { code, signal, err } = await script("ends.ts", ["exit in flight", String(round * 13)]);
    assert.deepEqual({ code, signal, err }, { code: 5, signal: null, err: "" }, `after ${round * 13} ms`);
  }
});

test("process.exit in the continuation of a call ends the process with that code", async () => {
  for (let round = 0; round < 5; round++) {
    const { code, signal, err } = await script("ends.ts", ["exit in a continuation"]);
    assert.deepEqual({ code, signal, err }, { code: 5, signal: null, err: "" });
  }
});

test("an uncaught exception of the host ends the process as ever, with calls in flight", async () => {
  for (const name of ["throws in flight", "throws in a continuation"]) {
    const { code, signal, err } = await script("ends.ts", [name]);
    assert.deepEqual({ code, signal }, { code: 1, signal: null }, name);
    assert.match(err, /of the host/, name);
  }
});

test("an unhandled rejection of a call ends the process as ever", async () => {
  const { code, err } = await script("ends.ts", ["unhandled refusal"]);
  assert.equal(code, 1);
  assert.match(err, /UnsupportedValueError/);
});
