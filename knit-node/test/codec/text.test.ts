/**
 * Text survives every cut: many strings, long ones between short ones, every encoding, around the sizes at which the way changes.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { Channel } from "./support.ts";
import { Blocks } from "./notation.ts";

const UNITS = ["a", "é", "日", "😀", "\ud800"];

test("strings of every length around the limits arrive, alone and among others", () => {
  const channel = new Channel();
  const lengths = [0, 1, 7, 8, 9, 13, 14, 15, 16, 23, 24, 25, 31, 32, 33, 48, 127, 128, 129, 2047, 2048, 4095, 4096, 4097, 8191, 9000];
  for (const unit of UNITS) {
    for (const length of lengths) {
      const text = unit.repeat(length);
      assert.ok(channel.send(text) === text);
      assert.deepStrictEqual(channel.send(["first", text, "last", text + "!", ""]), ["first", text, "last", text + "!", ""]);
    }
  }
});

test("thousands of strings of mixed length are cut where they were joined", () => {
  const channel = new Channel();
  for (const unit of UNITS) {
    const strings = Array.from({ length: 3000 }, (_, i) => `${i}${unit.repeat(i % 17)}${i % 500 === 0 ? unit.repeat(5000) : ""}`);
    assert.deepStrictEqual(channel.send(strings), strings);
  }
});

test("halves of a pair that two strings bring stay apart", () => {
  const channel = new Channel();
  const value = ["x\ud83d", "\ude00y", "\ud83d".repeat(3), "\ude00"];
  assert.deepStrictEqual(channel.send(value), value);
});

test("strings seen before are not mistaken for others", () => {
  const channel = new Channel();
  const strings: string[] = [];
  for (let i = 0; i < 5000; i++) strings.push(`${i}`, `s${i}`, `${i}`.padStart(8, "0"), `${i}-`.repeat(4), "\0".repeat(i % 24));
  for (let round = 0; round < 2; round++) for (const text of strings) assert.ok(channel.send(text) === text);
});

test("U+FFFD and byte order marks arrive as they are", () => {
  const channel = new Channel();
  for (const text of ["\ufffd", "a\ufffd", "\ufeff", "\ufeffa", "\ufffd".repeat(200), "é\ufffd"]) {
    assert.ok(channel.send(text) === text);
    assert.deepStrictEqual(channel.send([text, text + "x", "y"]), [text, text + "x", "y"]);
  }
});

test("long strings and bytes go to blocks where there are some", () => {
  for (const text of ["a".repeat(50), "é".repeat(50), "\ud800".repeat(50)]) {
    const blocks = new MemoryBlocks();
    const channel = new Channel({ encoder: { blocks }, decoder: { blocks } });
    const value = { text, short: "tiny", bytes: new Uint8Array(100).fill(7), view: new Float64Array([1, 2, 3]), small: new Uint8Array(3) };
    const bytes = channel.bytes(value);
    assert.ok(bytes.length < 240);
    assert.deepStrictEqual(channel.read(bytes), value);
    assert.equal(blocks.held.size, 3);
    assert.equal(blocks.reading, 0);
    assert.throws(() => channel.bytes([new Uint8Array(100), () => 1]), { code: "KNT_ERROR_0" });
    assert.equal(blocks.held.size, 3);
  }
});

test("when no block is to be had, payloads travel in the message", () => {
  const blocks = new MemoryBlocks();
  blocks.full = true;
  const channel = new Channel({ encoder: { blocks } });
  const value = ["x".repeat(100), "é".repeat(100), new Uint8Array(100).fill(1)];
  assert.deepStrictEqual(channel.send(value), value);
  assert.deepStrictEqual(channel.send(value[0]), value[0]);
});

test("what is in blocks counts against the limit of bytes", () => {
  const channel = new Channel({ encoder: { blocks: new MemoryBlocks() }, limits: { maxDepth: 100, maxBytes: 1000 } });
  for (const value of [new Uint8Array(1200), "x".repeat(1200), [new Uint8Array(600), new Uint8Array(600)], ["x".repeat(600), "é".repeat(300)]]) {
    assert.throws(() => channel.bytes(value), { code: "KNT_ERROR_3" });
  }
});

/** Blocks in private memory. */
class MemoryBlocks extends Blocks {
  override readonly minBytes = 24;
  readonly held = new Map<number, Uint8Array>();
  full = false;
  reading = 0;
  #opened: number[] = [];
  #next = 1;

  override open(first: number, second: Int32Array | number, third: number): Uint8Array {
    if (typeof second === "number") {
      assert.equal(second, -5);
      this.reading++;
      return this.held.get(first)!.subarray(0, third);
    }
    if (this.full) return null as never;
    const number = this.#next++;
    const window = new Uint8Array(first);
    this.held.set(number, window);
    this.#opened.push(number);
    second[third] = number;
    second[third + 1] = -5;
    return window;
  }
  override cancel(): void {
    this.held.delete(this.#opened.pop()!);
  }
  override discard(): void {
    // Blocks of earlier messages belong to their readers.
    for (const number of this.#opened.splice(3)) this.held.delete(number);
  }
  override take(lo: number, hi: number, length: number): ArrayBuffer {
    assert.equal(hi, -5);
    return this.held.get(lo)!.slice(0, length).buffer as ArrayBuffer;
  }
  override release(): void {
    this.reading--;
  }
}
