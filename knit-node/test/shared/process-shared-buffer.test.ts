/**
 * What a ProcessSharedBuffer promises by itself: its views, its parts, its metadata, its end.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { OptionError } from "../../ts/index.ts";
import { ProcessSharedBuffer } from "../../ts/shared-memory/process-shared-buffer.ts";
import type { ViewConstructor } from "../../ts/shared-memory/process-shared-buffer.ts";
import { collect } from "../fixtures/collect.ts";
import { coded, mappings, noMappings } from "./support.ts";

test("what is no class of views, and an option that does not exist, are errors that say so", () => {
  const buffer = ProcessSharedBuffer.create(8);
  for (const given of [Array, Map, undefined, null, 5, "Int32Array", () => 0]) {
    assert.throws(() => buffer.view(given as never), (error) => error instanceof OptionError && /class of views/.test(error.message), String(given));
  }
  class Bytes extends Uint8Array<ArrayBuffer> {}
  class Fields extends DataView<ArrayBuffer> {}
  for (const given of [Int16Array, DataView, Buffer, Bytes, Fields] as unknown as (ViewConstructor<ArrayBufferView> & Function)[]) {
    assert.ok(buffer.view(given) instanceof given);
  }
  assert.throws(() => ProcessSharedBuffer.create({ name: "knit-unknown", size: 8, mdoe: "create" } as never), (error) => error instanceof OptionError && /"mdoe".*"mode"/.test(error.message));
  buffer.close();
});

test("new memory is zeros of exactly that size", () => {
  for (const size of [1, 7, 8, 4095, 4096, 4097, 1 << 20]) {
    const buffer = ProcessSharedBuffer.create(size);
    assert.deepEqual([buffer.size, buffer.byteLength, buffer.byteOffset, buffer.getBuffer().byteLength], [size, size, 0, size]);
    assert.ok(buffer.bytes().every((byte) => byte === 0));
    buffer.close();
  }
});

test("every kind of view shows the same memory", () => {
  const buffer = ProcessSharedBuffer.create(16);
  buffer.bytes().set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  const same = new Uint8Array(16).map((_, i) => i + 1).buffer;
  const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array];
  for (const kind of kinds as ViewConstructor<Uint8Array>[]) {
    const [view, expected] = [buffer.view(kind), new kind(same, 0, 16 / kind.BYTES_PER_ELEMENT!)];
    assert.deepEqual(view, expected);
    assert.equal(view.buffer, buffer.getBuffer());
  }
  assert.deepEqual(buffer.view(BigInt64Array), new BigInt64Array(same));
  assert.equal(buffer.view(DataView).getUint32(4, true), new DataView(same).getUint32(4, true));
  assert.equal(buffer.dataView().getFloat64(8), new DataView(same).getFloat64(8));
  assert.equal(Buffer.isBuffer(buffer.view(Buffer as unknown as ViewConstructor<Buffer>)), true);
  assert.equal(buffer.view(Buffer as unknown as ViewConstructor<Buffer>)[15], 16);
  buffer.close();
});

test("Atomics work on the views, and on others of getBuffer()", () => {
  const buffer = ProcessSharedBuffer.create(64);
  const words = new Int32Array(buffer.getBuffer());
  assert.equal(Atomics.add(words, 3, 5), 0);
  assert.equal(Atomics.compareExchange(words, 3, 5, 9), 5);
  assert.equal(Atomics.load(buffer.view(Int32Array), 3), 9);
  assert.equal(Atomics.exchange(buffer.view(BigInt64Array), 2, -1n), 0n);
  assert.equal(words[4], -1);
  buffer.close();
});

test("a part is a window on the same memory", () => {
  const buffer = ProcessSharedBuffer.create(64);
  const part = buffer.subbuffer(16, 32);
  assert.deepEqual([part.size, part.byteOffset, part.byteLength], [64, 16, 32]);
  part.bytes().fill(3);
  assert.deepEqual(Array.from(buffer.bytes()), Array.from({ length: 64 }, (_, i) => (i >= 16 && i < 48 ? 3 : 0)));
  const inner = part.subbuffer(8);
  assert.deepEqual([inner.byteOffset, inner.byteLength], [24, 24]);
  assert.equal(inner.view(Int32Array).byteOffset, 24);
  assert.equal(part.subbuffer(32, 0).bytes().length, 0);
  for (const [offset, length] of [[0, 33], [-1, 2], [33, 0], [0.5, 1], [0, NaN], [2 ** 40, 1]]) {
    assert.throws(() => part.subbuffer(offset, length), coded("KNT_SHARED_BOUNDS"));
  }
  for (const each of [buffer, part, inner]) each.close();
});

test("views that would not be aligned, and words that are not there, are errors", () => {
  const buffer = ProcessSharedBuffer.create(30);
  const odd = buffer.subbuffer(2, 8);
  assert.throws(() => odd.view(Int32Array), coded("KNT_SHARED_ALIGNMENT"));
  assert.throws(() => buffer.view(Float64Array), coded("KNT_SHARED_ALIGNMENT"), "30 bytes are no whole number of doubles");
  assert.equal(odd.view(Int16Array).length, 4);
  assert.throws(() => odd.wait(0, 0, 0), coded("KNT_SHARED_ALIGNMENT"));
  for (const index of [-1, 7, 0.5, NaN, 2 ** 32]) {
    assert.throws(() => buffer.wait(index, 0, 0), coded("KNT_SHARED_BOUNDS"));
    assert.throws(() => buffer.notify(index), coded("KNT_SHARED_BOUNDS"));
  }
  assert.equal(buffer.notify(6), 0);
  odd.close();
  buffer.close();
});

test("what cannot be a size is an error that says so", () => {
  for (const size of [0, -1, 1.5, NaN, Infinity, 2 ** 32, "8", null, undefined, {}]) {
    assert.throws(() => ProcessSharedBuffer.create(size as number), (error) => error instanceof OptionError);
  }
  assert.throws(() => new (ProcessSharedBuffer as unknown as new () => unknown)(), (error) => error instanceof OptionError);
});

test("wait tells a word that differs from time that is over", () => {
  const buffer = ProcessSharedBuffer.create(8);
  assert.equal(buffer.wait(0, 1, 1000), "not-equal");
  const start = performance.now();
  assert.equal(buffer.wait(1, 0, 30), "timed-out");
  assert.ok(performance.now() - start >= 25);
  // As Atomics.wait takes it; joined to the time of day it would be any other.
  const again = performance.now();
  assert.equal(buffer.wait(1, 0, "30" as never), "timed-out");
  assert.ok(performance.now() - again >= 25);
  assert.equal(buffer.wait(0, 0, 0), "timed-out");
  assert.equal(buffer.wait(0, 0, -5), "timed-out");
  buffer.view(Int32Array)[0] = -2;
  assert.equal(buffer.wait(0, -2, 1), "timed-out");
  assert.equal(buffer.notify(0), 0);
  buffer.close();
});

test("after close() every view is detached: touching it is a TypeError, and other objects go on", () => {
  const buffer = ProcessSharedBuffer.create(64);
  const part = buffer.subbuffer(0, 8);
  const [words, view, bytes, memory] = [buffer.view(Int32Array), buffer.dataView(), buffer.bytes(), buffer.getBuffer()];
  const other = part.bytes();
  buffer.close();
  assert.ok(buffer.closed && memory.detached);
  assert.deepEqual([words.length, bytes.length, bytes[0], memory.byteLength], [0, 0, undefined, 0]);
  words[0] = 1;
  assert.throws(() => Atomics.load(words, 0), TypeError);
  assert.throws(() => view.getInt8(0), TypeError);
  assert.throws(() => bytes.fill(1), TypeError);
  assert.throws(() => bytes.set([1]), TypeError);
  assert.throws(() => new Uint8Array(memory), TypeError);
  const uses: (() => unknown)[] = [
    () => buffer.getBuffer(),
    () => buffer.view(Int32Array),
    () => buffer.bytes(),
    () => buffer.dataView(),
    () => buffer.subbuffer(0, 1),
    () => buffer.toMetadata(),
    () => buffer.wait(0, 0, 0),
    () => buffer.notify(0),
  ];
  for (const use of uses) assert.throws(use, coded("KNT_SHARED_CLOSED"));
  buffer.close();
  other[0] = 5;
  assert.equal(part.bytes()[0], 5);
  part[Symbol.dispose]();
  assert.equal(other.length, 0);
});

test("a buffer that was transferred is its new owner's, and close() leaves it", () => {
  const buffer = ProcessSharedBuffer.create(8);
  buffer.bytes()[3] = 4;
  const moved = buffer.getBuffer().transfer();
  buffer.close();
  assert.equal(new Uint8Array(moved)[3], 4);
});

test("metadata opens the same memory in this process, as data and as text", () => {
  const buffer = ProcessSharedBuffer.create(64);
  const part = buffer.subbuffer(8, 16);
  const again = ProcessSharedBuffer.fromMetadata(JSON.parse(JSON.stringify(part.toMetadata())) as ReturnType<typeof part.toMetadata>);
  assert.deepEqual([again.size, again.byteOffset, again.byteLength], [64, 8, 16]);
  again.bytes().fill(1);
  assert.equal(buffer.bytes()[8], 1);
  buffer.close();
  part.close();
  const text = again.stringify();
  const parsed = ProcessSharedBuffer.parse(text);
  assert.equal(parsed.bytes()[0], 1);
  again.close();
  parsed.close();
  assert.throws(() => ProcessSharedBuffer.parse(text), coded("KNT_SHARED_MEMORY_GONE"));
});

test("what is no metadata is an error that says what is wrong", () => {
  const buffer = ProcessSharedBuffer.create(64);
  const good = buffer.toMetadata();
  const wrong: unknown[] = [
    null,
    7,
    {},
    { ...good, type: "Buffer" },
    { ...good, version: 2 },
    { ...good, size: -1 },
    { ...good, byteOffset: 1.5 },
    { ...good, byteLength: "64" },
    { ...good, byteOffset: 1 },
    { ...good, memory: undefined },
    { ...good, process: undefined },
  ];
  for (const metadata of wrong) assert.throws(() => ProcessSharedBuffer.fromMetadata(metadata as typeof good), coded("KNT_SHARED_METADATA"));
  for (const text of ["", "{", "[]", "null"]) assert.throws(() => ProcessSharedBuffer.parse(text), coded("KNT_SHARED_METADATA"));
  assert.throws(() => ProcessSharedBuffer.fromMetadata({ ...good, process: (good.process! ^ 1) >>> 0 }), coded("KNT_SHARED_MEMORY_GONE"));
  assert.throws(() => ProcessSharedBuffer.fromMetadata({ ...good, memory: 0xffff_fff0 }), coded("KNT_SHARED_MEMORY_GONE"));
  assert.throws(() => ProcessSharedBuffer.fromMetadata({ ...good, size: 128, byteLength: 128 }), coded("KNT_SHARED_BOUNDS"));
  buffer.close();
});

test("memory lives as long as a view, whatever becomes of its buffer, and no longer", { skip: noMappings }, async () => {
  // A size that nothing else here has.
  const bytes = 4096 * 1237;
  const views: Uint8Array[] = [];
  // In functions of their own, so that no value is left over in this one's frame.
  const make = (): void => {
    for (let i = 0; i < 8; i++) views.push(ProcessSharedBuffer.create(bytes).bytes());
  };
  const write = (): void => views.forEach((view) => view.fill(1));
  make();
  await collect();
  await collect();
  write();
  assert.equal(mappings(bytes), 8);
  views.length = 0;
  for (let round = 0; mappings(bytes) > 1; round++) {
    assert.ok(round < 300, `${mappings(bytes)} mappings are left`);
    await collect();
  }
  // At once, where it is asked for.
  const before = mappings(bytes);
  const closed = ProcessSharedBuffer.create(bytes);
  closed.bytes()[0] = 1;
  assert.equal(mappings(bytes), before + 1);
  closed.close();
  for (let round = 0; mappings(bytes) > before; round++) {
    assert.ok(round < 300, "close() left a mapping");
    await collect();
  }
});
