/**
 * Golden vectors, damaged: each ends in a value or a `CodecError`, and no value is larger than the bytes that it was read from.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { parameters } from "./property-recipes.ts";
import { ByteBuffer } from "../../ts/codec/buffer.ts";
import { CodecError } from "../../ts/codec/errors.ts";
import { Decoder } from "../../ts/codec/decode.ts";
import { DEFAULT_LIMITS } from "../../ts/codec/format.ts";
import { ShapeReader } from "../../ts/codec/shapes.ts";
import { Envelope } from "../../ts/api/envelope.ts";
import type { BlockReader } from "../../ts/codec/hooks.ts";

interface Vector {
  readonly name: string;
  readonly bytes: string;
  readonly shapes?: number[];
}

const file = new URL("../../../knit-codec/vectors/v1.json", import.meta.url);
const { valid, invalid } = JSON.parse(readFileSync(file, "utf8")) as { valid: Vector[]; invalid: Vector[] };
const frames = [...valid, ...invalid].map(({ name, bytes, shapes }) => ({ name, shapes, bytes: Uint8Array.from(bytes.match(/../g) ?? [], (byte) => parseInt(byte, 16)) }));

/** Blocks hold what their owner says, and refuse what they do not hold, as a pool's do. */
class SmallBlocks implements BlockReader {
  bytes = 0;
  take(_lo: number, _hi: number, length: number): ArrayBuffer {
    return this.open(0, 0, length).buffer as ArrayBuffer;
  }
  open(_lo: number, _hi: number, length: number): Uint8Array {
    if (length > 4096) throw new CodecError("Truncated", "a block is shorter");
    this.bytes += length;
    return new Uint8Array(length);
  }
  release(): void {}
}

/** What a value weighs, about: units of text, bytes, items. Holes weigh nothing, nor do names of properties, which a shape may have brought. */
function weight(root: unknown): number {
  const met = new Set<unknown>();
  const rest: unknown[] = [root];
  let sum = 0;
  while (rest.length > 0) {
    const value = rest.pop();
    sum++;
    if (typeof value === "string") sum += value.length;
    else if (typeof value === "symbol") sum += value.description!.length;
    else if (typeof value === "bigint") sum += value.toString(16).length / 2;
    if (typeof value !== "object" || value === null || met.has(value)) continue;
    met.add(value);
    if (value instanceof ArrayBuffer) sum += value.byteLength;
    else if (ArrayBuffer.isView(value)) sum += value.buffer.byteLength;
    else if (value instanceof Map) rest.push(...[...(value as Map<unknown, unknown>)].flat());
    else if (value instanceof Set) rest.push(...(value as Set<unknown>));
    else if (value instanceof Error) rest.push(value.message, value.stack ?? 0, value.cause, ...Object.values(value));
    else if (value instanceof Envelope) rest.push(value.header, value.body);
    // The classes spell these out: a source is escaped, a URL is percent-encoded.
    else if (!(value instanceof RegExp || value instanceof URL)) rest.push(...(Object.values(value) as unknown[]));
  }
  return sum;
}

/** Reads; true if a value came out. */
function read(bytes: Uint8Array, shapes: readonly number[] | undefined, name: string): boolean {
  const buffer = new ArrayBuffer(((bytes.length + 7) & ~7) + 8);
  new Uint8Array(buffer).set(bytes, 8);
  const blocks = new SmallBlocks();
  const decoder = new Decoder(shapes === undefined ? null : new ShapeReader(Uint32Array.from(shapes)), DEFAULT_LIMITS, { blocks });
  let value: unknown;
  try {
    value = decoder.decode(new ByteBuffer(buffer), 8, bytes.length);
  } catch (error) {
    assert.ok(error instanceof CodecError, `${name}: ${String(error)}\n${(error as Error).stack ?? ""}`);
    assert.equal(error.code, "KNT_ERROR_CORRUPT", name);
    return false;
  }
  const heavy = weight(value);
  // A reference takes a slot, and the object that it refers to is counted once. One more for the root.
  assert.ok(heavy <= bytes.length + blocks.bytes + 1, `${name}: ${heavy} of ${bytes.length} bytes`);
  return true;
}

const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
/** A bit, a byte, a word that looks like a tag, a count that is too high, a stretch of another vector. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant("bit" as const), at: position, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("byte" as const), at: position, byte: fc.nat(255) }),
  fc.record({ kind: fc.constant("tag" as const), at: position, tag: fc.nat(0x1d), aux: fc.oneof(fc.constant(0), fc.nat(255)) }),
  fc.record({ kind: fc.constant("word" as const), at: position, word: fc.oneof(fc.nat(40), fc.constantFrom(-1, 0x7fff_ffff, 0x1000_0000, 0xffff)) }),
  fc.record({ kind: fc.constant("graft" as const), at: position, other: fc.nat(10_000), slots: fc.integer({ min: 1, max: 8 }) }),
);
type Damage = typeof damage extends fc.Arbitrary<infer D> ? D : never;

function hurt(bytes: Uint8Array, one: Damage): void {
  const word = Math.floor(one.at * (bytes.length >>> 2)) * 4;
  const view = new DataView(bytes.buffer);
  if (one.kind === "bit") bytes[Math.floor(one.at * bytes.length)] ^= 1 << one.bit;
  else if (one.kind === "byte") bytes[Math.floor(one.at * bytes.length)] = one.byte;
  else if (word + 4 > bytes.length) bytes.fill(0xff);
  else if (one.kind === "tag") view.setInt32(word, (0xfffe_0000 + (one.tag << 8) + one.aux) | 0, true);
  else if (one.kind === "word") view.setInt32(word, one.word, true);
  else bytes.set(frames[one.other % frames.length]!.bytes.subarray(0, one.slots * 8).subarray(0, bytes.length - word), word);
}

test("every vector as it is, and cut at every byte, is read or refused", () => {
  let values = 0;
  for (const { name, bytes, shapes } of frames) {
    if (read(bytes, shapes, name)) values++;
    const step = Math.max(1, bytes.length >>> 9);
    for (let length = 0; length < bytes.length; length += step) assert.equal(read(bytes.subarray(0, length), shapes, name) && length < 8, false, name);
  }
  assert.ok(values > 50 && values <= valid.length);
});

test("damaged vectors are refused, or mean something that is no larger than they are", () => {
  let refused = 0;
  let values = 0;
  fc.assert(
    fc.property(fc.nat(frames.length - 1), fc.array(damage, { minLength: 1, maxLength: 4 }), (n, several) => {
      const { name, bytes, shapes } = frames[n]!;
      const damaged = bytes.slice();
      for (const one of several) hurt(damaged, one);
      if (read(damaged, shapes, name)) values++;
      else refused++;
    }),
    parameters(20_000),
  );
  assert.ok(refused > 1000 && values > 1000, `${refused} refused, ${values} values`);
});
