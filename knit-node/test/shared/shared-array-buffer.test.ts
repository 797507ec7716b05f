/**
 * SharedArrayBuffers arrive as the same memory, in arguments and in results, and as the same object wherever they are known already.
 */
import assert from "node:assert/strict";

import { UnsupportedValueError, WorkerCrashedError } from "../../ts/index.ts";
import { collect } from "../fixtures/collect.ts";
import * as tasks from "../fixtures/shared-array-buffer.ts";
import { GUARD_MS, reason, script, sleep, testOfThreads, withPool } from "../pool/support.ts";

const test = testOfThreads("a SharedArrayBuffer is memory of threads");

const shared = (bytes: number): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(bytes));

test("what one side writes the other sees, while the call is still running", () =>
  withPool({}, tasks, async ({ call }) => {
    const words = shared(16);
    const answered = call.answer(words);
    await sleep(20);
    assert.equal(words[1], 0);
    Atomics.store(words, 0, 21);
    while (Atomics.notify(words, 0) === 0 && Atomics.load(words, 1) === 0) await sleep(1);
    const outcome = await answered;
    assert.ok(outcome === "ok" || outcome === "not-equal", outcome);
    assert.equal(words[1], 42);
  }));

test("a result is the very object that was sent, alone and nested", () =>
  withPool({}, tasks, async ({ call }) => {
    const memory = new SharedArrayBuffer(8);
    assert.equal(await call.echo(memory), memory);
    const value = { list: [memory, { memory }], map: new Map([["memory", memory]]) };
    const back = (await call.echo(value)) as typeof value;
    assert.equal(back.list[0], memory);
    assert.equal((back.list[1] as { memory: object }).memory, memory);
    assert.equal(back.map.get("memory"), memory);
    const [one, two] = (await Promise.all([call.echo(memory), call.echo([memory])])) as [unknown, unknown[]];
    assert.ok(one === memory && two[0] === memory);
  }));

test("memory that was made in a worker arrives, as one object however it is seen, and every time", () =>
  withPool({}, tasks, async ({ call }) => {
    const { memory, again, words, text } = await call.both(16);
    assert.ok(memory instanceof SharedArrayBuffer && again === memory && words.buffer === memory);
    assert.equal(text, "beside it");
    assert.deepEqual([words.byteOffset, words.length], [4, 1]);
    assert.equal(new Int32Array((await call.make(64)) as SharedArrayBuffer)[15], 7);

    const kept = (await call.keepNew(32)) as SharedArrayBuffer;
    assert.equal(await call.kin(), kept);
    assert.equal(await call.keep(kept), true, "and is itself where it came from");
    assert.equal(await call.kin(), kept);
  }));

test("what is sent twice is one object in the worker", () =>
  withPool({}, tasks, async ({ call }) => {
    const memory = new SharedArrayBuffer(8);
    assert.equal(await call.keep(memory), false);
    assert.equal(await call.keep(memory), true);
    assert.equal(await call.keep(new SharedArrayBuffer(8)), false);
  }));

test("views arrive as views of the same memory: class, offset, length, buffer", () =>
  withPool({}, tasks, async ({ call }) => {
    const memory = new SharedArrayBuffer(64);
    const views = [
      new Uint8Array(memory),
      new Uint8Array(memory, 3, 5),
      new Int8Array(memory, 1, 0),
      new Uint8ClampedArray(memory, 9, 9),
      new Int16Array(memory, 2, 3),
      new Uint16Array(memory, 4),
      new Int32Array(memory, 8, 2),
      new Uint32Array(memory, 12, 1),
      new Float32Array(memory, 16, 3),
      new Float64Array(memory, 24, 2),
      new BigInt64Array(memory, 8, 1),
      new BigUint64Array(memory, 56),
      new DataView(memory, 7, 11),
    ] as Uint8Array[];
    const expected = views.map(({ constructor, byteOffset, byteLength }) => ({ kind: constructor.name, same: true, byteOffset, byteLength }));
    assert.deepEqual(await call.look({ memory, views }), expected);
    for (const view of views) {
      const back = (await call.echo(view)) as Uint8Array;
      assert.ok(back.constructor === view.constructor && back.buffer === memory);
      assert.deepEqual([back.byteOffset, back.byteLength], [view.byteOffset, view.byteLength]);
    }
    const twice = (await call.echo([views[0], views[0]])) as unknown[];
    assert.equal(twice[0], twice[1], "one view stays one view");
  }));

test("memory that grows arrives as such", () =>
  withPool({}, tasks, async ({ call }) => {
    const memory = new SharedArrayBuffer(8, { maxByteLength: 64 });
    const views = [new Uint8Array(memory)];
    await call.keep(memory);
    memory.grow(16);
    assert.deepEqual(((await call.kin()) as SharedArrayBuffer).byteLength, 16);
    assert.equal((await call.look({ memory, views: [...views, new Uint8Array(memory, 8, 8)] }))[1].byteLength, 8);
  }));

test("with stealing and several workers every one works on the same memory", () =>
  withPool({ threads: 4 }, tasks, async ({ call }) => {
    const words = shared(40);
    const before = await Promise.all(Array.from({ length: 2000 }, (_, i) => call.add({ words, index: i % 10 })));
    assert.deepEqual(Array.from(words), Array(10).fill(200));
    for (let index = 0; index < 10; index++) {
      const seen = before.filter((_, i) => i % 10 === index).sort((a, b) => a - b);
      assert.deepEqual(seen, Array.from({ length: 200 }, (_, i) => i), "every addition saw all others");
    }
  }));

test("many memories at once, each its own", () =>
  withPool({ threads: 2 }, tasks, async ({ call }) => {
    const memories = Array.from({ length: 500 }, (_, i) => shared(8).fill(i));
    const echoes = (await Promise.all(memories.map((words) => call.echo(words)))) as Int32Array[];
    echoes.forEach((words, i) => assert.ok(words.buffer === memories[i].buffer && words[1] === i));
    const made = await Promise.all(memories.map((_, i) => call.make(4 + i * 4)));
    made.forEach((memory, i) => assert.equal(memory.byteLength, 4 + i * 4));
    assert.equal(new Set(made).size, made.length);
  }));

test("a thrown error brings the memory that it carries", () =>
  withPool({}, tasks, async ({ call }) => {
    const memory = new SharedArrayBuffer(8);
    const error = (await reason(call.throwsMemory(memory))) as Error & { memory: unknown };
    assert.equal(error.message, "with memory");
    assert.equal(error.memory, memory);
  }));

test("memory beside a value that cannot travel is refused with it, and the next call is fine", () =>
  withPool({}, tasks, async ({ call }) => {
    const memory = new SharedArrayBuffer(8);
    const argument = (await reason(call.echo({ memory, f: () => {} }))) as UnsupportedValueError;
    assert.ok(argument instanceof UnsupportedValueError);
    assert.equal(argument.path, "arg.f");
    const result = (await reason(call.refused(8))) as UnsupportedValueError;
    assert.equal(result.path, "result[1]");
    assert.equal(await call.echo(memory), memory);
    assert.equal(((await call.make(8)) as SharedArrayBuffer).byteLength, 8);
  }));

test("an accessor may call the pool with memory while an argument is read", () =>
  withPool({}, tasks, async ({ call }) => {
    const [outer, inner] = [new SharedArrayBuffer(8), new SharedArrayBuffer(16)];
    let nested: Promise<unknown> | undefined;
    const value = {
      outer,
      get inside() {
        nested ??= call.echo(inner);
        return 1;
      },
    };
    assert.equal(((await call.echo(value)) as { outer: unknown }).outer, outer);
    assert.equal(await nested, inner);
  }));

test("a fake is refused", () =>
  withPool({}, tasks, async ({ call }) => {
    const error = await reason(call.echo(Object.create(SharedArrayBuffer.prototype)));
    assert.ok(error instanceof UnsupportedValueError, String(error));
  }));

test("memory outlives the worker that had it, and its replacement gets it again", () =>
  withPool({}, tasks, async ({ call }) => {
    const memory = new SharedArrayBuffer(8);
    for (let round = 0; round < 3; round++) {
      const former = await call.which();
      const [back, made] = (await call.answersThenDies(memory)) as SharedArrayBuffer[];
      assert.equal(back, memory);
      assert.equal(made.byteLength, 24);
      for (;;) {
        const now = await call.which().catch((error: unknown) => {
          assert.ok(error instanceof WorkerCrashedError, String(error));
          return former;
        });
        if (now !== former) break;
        await sleep(1);
      }
      assert.equal(await call.keep(memory), false, "a new worker knows nothing of the old one's");
      assert.equal(await call.keep(memory), true);
      assert.equal(await call.kin(), memory);
      new Int32Array(made)[5] = 1;
    }
  }));

test("two pools share one memory", () =>
  withPool({}, tasks, (one) =>
    withPool({}, tasks, async (two) => {
      const words = shared(8);
      await Promise.all([one.call.add({ words, index: 0 }), two.call.add({ words, index: 0 })]);
      assert.equal(words[0], 2);
      const made = (await one.call.make(8)) as SharedArrayBuffer;
      assert.equal(await two.call.echo(made), made);
    }),
  ));

test("a worker lets go of memory that the host has let go of", { timeout: 2 * GUARD_MS }, () =>
  withPool({}, tasks, async ({ call }) => {
    const count = 40;
    for (let i = 0; i < count; i++) await call.remember(new SharedArrayBuffer(1 << 20));
    const until = Date.now() + GUARD_MS / 2;
    let living = count;
    while (living > count / 4 && Date.now() < until) {
      await collect();
      living = await call.living();
    }
    assert.ok(living <= count / 4, `${living} of ${count} are still there`);
  }));

test("a pool that has sent and received memory keeps no process alive", async () => {
  const { code, out, err } = await script("shared-ends.ts");
  assert.deepEqual({ code, out, err }, { code: 0, out: "8 16\n", err: "" });
});
