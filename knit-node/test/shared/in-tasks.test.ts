/**
 * A ProcessSharedBuffer in arguments and results: the same memory, whatever becomes of either side.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { UnsupportedValueError } from "../../ts/index.ts";
import { ProcessSharedBuffer } from "../../ts/shared-memory/process-shared-buffer.ts";
import { collect } from "../fixtures/collect.ts";
import * as tasks from "../fixtures/process-shared-buffer.ts";
import { GUARD_MS, reason, sleep, testOfThreads, withPool, within } from "../pool/support.ts";
import { coded, mappings, noMappings } from "./support.ts";

test("it arrives as the same memory, with its window", () =>
  withPool({}, tasks, async ({ call }) => {
    const buffer = ProcessSharedBuffer.create(64);
    const part = buffer.subbuffer(16, 8);
    assert.deepEqual(await call.write({ buffer: part, byte: 3 }), { size: 64, byteOffset: 16, byteLength: 8, own: true });
    assert.deepEqual(Array.from(buffer.bytes().subarray(15, 25)), [0, 3, 3, 3, 3, 3, 3, 3, 3, 0]);
    const back = (await call.echo([part, { part }])) as [ProcessSharedBuffer, { part: ProcessSharedBuffer }];
    assert.ok(back[0] instanceof ProcessSharedBuffer && back[1].part === back[0], "one object in one message");
    assert.deepEqual([back[0].byteOffset, back[0].byteLength], [16, 8]);
    back[0].bytes()[0] = 77;
    assert.equal(buffer.bytes()[16], 77);
    const alone = (await call.echo(buffer)) as ProcessSharedBuffer;
    alone.bytes()[63] = 5;
    assert.equal(buffer.bytes()[63], 5);
    for (const each of [buffer, part, back[0], alone]) each.close();
  }));

test("what is closed right after the call arrives all the same", () =>
  withPool({ threads: 2 }, tasks, async ({ call }) => {
    const calls = Array.from({ length: 100 }, (_, i) => {
      const buffer = ProcessSharedBuffer.create(16);
      const kept = buffer.subbuffer(0);
      const done = call.write({ buffer, byte: i });
      buffer.close();
      return { done, kept, byte: i };
    });
    for (const { done, kept, byte } of calls) {
      await done;
      assert.equal(kept.bytes()[15], byte);
      kept.close();
    }
  }));

test("a result outlives what its worker has of it", () =>
  withPool({}, tasks, async ({ call }) => {
    const made = await call.make(4096);
    assert.deepEqual([made.size, made.bytes()[4095]], [4096, 7]);
    const { buffer, part } = await call.makeAndClose(16);
    await sleep(20);
    assert.deepEqual([buffer.bytes()[0], part.byteOffset, part.bytes()[0]], [9, 4, 9]);
    part.bytes()[0] = 1;
    assert.equal(buffer.bytes()[4], 1);
    for (const each of [made, buffer, part]) each.close();
  }));

test("with stealing and several workers every one works on the same memory", () =>
  withPool({ threads: 4 }, tasks, async ({ call }) => {
    const buffer = ProcessSharedBuffer.create(40);
    await Promise.all(Array.from({ length: 2000 }, (_, i) => call.add({ buffer, index: i % 10 })));
    assert.deepEqual(Array.from(buffer.view(Int32Array)), Array(10).fill(200));
    buffer.close();
  }));

test("a worker that waits is woken by the host, and the host by a worker", () =>
  withPool({}, tasks, async ({ call }) => {
    const buffer = ProcessSharedBuffer.create(8);
    const words = buffer.view(Int32Array);
    const asleep = call.sleepOn({ buffer, ms: Infinity });
    // Nothing is changed: who is woken was asleep.
    while (buffer.notify(0) === 0) await sleep(1);
    assert.equal(await asleep, "ok");

    const waking = call.notifyUntilHeard(buffer);
    // The call must be on its way before this thread stands still.
    await sleep(1);
    assert.equal(buffer.wait(0, 0, GUARD_MS / 2), "ok");
    assert.equal(await waking, 1, "one was woken");

    const answered = call.answer(buffer);
    await sleep(1);
    Atomics.store(words, 0, 21);
    buffer.notify(0);
    buffer.wait(1, 0, GUARD_MS / 2);
    assert.equal(Atomics.load(words, 1), 42);
    assert.match(await answered, /^(ok|not-equal)$/);

    assert.equal(await call.sleepOn({ buffer, ms: 10 }), "not-equal");
    words[0] = 0;
    assert.equal(await call.sleepOn({ buffer, ms: 250 }), "timed-out", "longer than a worker sleeps at a stretch");
    buffer.close();
  }));

test("a pool ends though a worker waits for ever", async () => {
  const buffer = ProcessSharedBuffer.create(8);
  await withPool({}, tasks, async ({ call, shutdown }) => {
    const waiting = reason(call.sleepOn({ buffer, ms: Infinity }));
    await sleep(100);
    await within(shutdown(), "shutdown()");
    assert.equal(((await waiting) as { code: string }).code, "KNT_POOL_CLOSED");
  });
  buffer.close();
});

test("it arrives in tasks that run on the host, too", () =>
  withPool({ inliner: { position: "first", batchSize: 1000, dispatchThreshold: 1 } }, tasks, async ({ call }) => {
    const buffer = ProcessSharedBuffer.create(64);
    const part = buffer.subbuffer(8, 8);
    const done = Promise.all([call.write({ buffer: part, byte: 6 }), call.echo([part, part])]);
    part.close();
    const [, back] = (await done) as [unknown, ProcessSharedBuffer[]];
    assert.equal(buffer.bytes()[8], 6);
    assert.ok(back[0] === back[1] && back[0].byteOffset === 8 && back[0].bytes()[7] === 6);
    assert.ok((await reason(call.echo([buffer, () => {}]))) instanceof UnsupportedValueError);
    const made = await call.make(16);
    assert.equal(made.bytes()[15], 7);
    for (const each of [buffer, back[0], made]) each.close();
  }));

test("one that is closed is refused, with its path, in arguments and results", () =>
  withPool({}, tasks, async ({ call }) => {
    const buffer = ProcessSharedBuffer.create(8);
    buffer.close();
    const argument = (await reason(call.echo({ a: [buffer] }))) as UnsupportedValueError;
    assert.ok(argument instanceof UnsupportedValueError, String(argument));
    assert.deepEqual([argument.code, argument.path], ["KNT_ERROR_2", "arg.a[0]"]);
    assert.match(argument.message, /closed/);
    const result = (await reason(call.returnsClosed())) as UnsupportedValueError;
    assert.deepEqual([result.code, result.path], ["KNT_ERROR_2", "result[0]"]);
  }));

test("a view of one is copied, like any other typed array", () =>
  withPool({}, tasks, async ({ call }) => {
    const buffer = ProcessSharedBuffer.create(1 << 20);
    const bytes = buffer.bytes().fill(4);
    const echoed = call.echo(bytes);
    bytes.fill(5);
    const back = (await echoed) as Uint8Array;
    assert.ok(back.length === 1 << 20 && back.every((byte) => byte === 4));
    buffer.close();
  }));

test("a thrown error brings the buffer that it carries", () =>
  withPool({}, tasks, async ({ call }) => {
    const buffer = ProcessSharedBuffer.create(8);
    const error = (await reason(call.throwsBuffer(buffer))) as Error & { buffer: ProcessSharedBuffer };
    error.buffer.bytes()[1] = 6;
    assert.equal(buffer.bytes()[1], 6);
    error.buffer.close();
    buffer.close();
  }));

testOfThreads("without a name metadata are for the threads of one process")("a thread finds by metadata what another has", () =>
  withPool({}, tasks, async ({ call }) => {
    const buffer = ProcessSharedBuffer.create(8);
    buffer.view(Int32Array)[0] = 99;
    const text = buffer.stringify();
    assert.equal(await call.readBy(text), 99);
    buffer.close();
    const error = await reason(call.readBy(text));
    coded("KNT_SHARED_MEMORY_GONE")(error);
  }));

test("nothing is left of what was refused, given up, or in a worker that died or ended", { skip: noMappings, timeout: 120_000 }, async () => {
  // A size that nothing else here has.
  const bytes = 4096 * 999;
  await withPool({ threads: 2 }, tasks, async ({ call }) => {
    for (let i = 0; i < 20; i++) {
      assert.ok((await reason(call.refused(bytes))) instanceof UnsupportedValueError);
      const buffer = ProcessSharedBuffer.create(bytes);
      assert.ok((await reason(call.echo([buffer, () => {}]))) instanceof UnsupportedValueError);
      const [back] = (await call.echo([buffer])) as ProcessSharedBuffer[];
      back.close();
      buffer.close();
    }
    for (let i = 0; i < 3; i++) assert.equal(((await reason(call.diesWithBuffer(bytes))) as { code: string }).code, "KNT_WORKER_CRASHED");
    // Never read: the pool ends first.
    const late = ProcessSharedBuffer.create(bytes);
    const closed = Array.from({ length: 50 }, () => reason(call.sleepOn({ buffer: late, ms: 5 })));
    late.close();
    void Promise.all(closed);
  });
  for (const end = performance.now() + GUARD_MS / 2; mappings(bytes) > 0; ) {
    assert.ok(performance.now() < end, `${mappings(bytes)} mappings are left`);
    await collect();
  }
});
