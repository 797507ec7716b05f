/**
 * The golden vectors that the Rust implementation wrote: the same bytes mean the same values here, and the other way round.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Blocks, build, notate, sharedHook } from "./notation.ts";
import { Channel } from "./support.ts";
import { CodecError } from "../../ts/codec/errors.ts";
import { Decoder } from "../../ts/codec/decode.ts";
import { ByteBuffer } from "../../ts/codec/buffer.ts";
import { DEFAULT_LIMITS } from "../../ts/codec/format.ts";
import { ShapeReader } from "../../ts/codec/shapes.ts";
import type { Notation } from "./notation.ts";

interface Vector {
  readonly name: string;
  readonly value: Notation;
  readonly bytes: string;
  readonly shapes?: number[];
  readonly exact?: boolean;
  readonly error?: string;
}

const file = new URL("../../../knit-codec/vectors/v1.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as { version: number; valid: Vector[]; invalid: Vector[] };

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function decode(vector: Vector, blocks: Blocks): unknown {
  const bytes = fromHex(vector.bytes);
  const buffer = new ArrayBuffer(((bytes.length + 7) & ~7) + 8);
  new Uint8Array(buffer).fill(0x5a).set(bytes, 8);
  const table = vector.shapes === undefined ? null : new ShapeReader(Uint32Array.from(vector.shapes));
  const decoder = new Decoder(table, DEFAULT_LIMITS, { blocks, shared: sharedHook });
  return decoder.decode(new ByteBuffer(buffer), 8, bytes.length);
}

function canBuild(vector: Vector): boolean {
  return "Float16Array" in globalThis || !JSON.stringify(vector.value).includes("Float16Array");
}

/** JavaScript escapes slashes in the source of a regexp, and letters in a URL; such vectors can only be read here. */
function canWrite(vector: Vector): boolean {
  if (vector.exact !== true || !canBuild(vector)) return false;
  const [tag, text] = Array.isArray(vector.value) ? (vector.value as [string, string]) : ["", ""];
  if (tag === "url") return new URL(text).href === text;
  return tag !== "regexp" || new RegExp(text).source === text;
}

/** References made explicit, and the content of string blocks in place of their names. */
function expected(vector: Vector): Notation {
  const blocks = new Blocks();
  const value = build(vector.value, blocks);
  const named = JSON.stringify(vector.value).match(/\["binary-block","\w+",(\d+),"(\w+)"/);
  const view = named === null ? null : Object.values(value as object).find((v) => ArrayBuffer.isView(v));
  if (named !== null) blocks.taken.set((view as Uint8Array).buffer as ArrayBuffer, named[2]);
  return notate(value, blocks);
}

test("there are vectors of version 1", () => {
  assert.equal(vectors.version, 1);
  assert.ok(vectors.valid.length > 50 && vectors.invalid.length > 50);
});

test("valid messages are read as the vectors say", () => {
  for (const vector of vectors.valid.filter(canBuild)) {
    const blocks = new Blocks();
    build(vector.value, blocks);
    let got: Notation;
    try {
      got = notate(decode(vector, blocks), blocks);
    } catch (error) {
      throw new Error(vector.name, { cause: error });
    }
    assert.equal(JSON.stringify(got), JSON.stringify(expected(vector)), vector.name);
  }
});

test("values are written as the vectors say", () => {
  for (const vector of vectors.valid.filter(canWrite)) {
    const blocks = new Blocks();
    const value = build(vector.value, blocks);
    const hooks = { shared: sharedHook, ...(blocks.locators.length > 0 ? { blocks } : {}) };
    for (const tableWords of [0, 4096]) {
      blocks.discard();
      const channel = new Channel({ tableWords, encoder: hooks });
      assert.equal(toHex(channel.bytes(value)), vector.bytes, vector.name);
    }
  }
});

test("invalid messages are refused by name", () => {
  const wrong: string[] = [];
  for (const vector of vectors.invalid) {
    let refusal = "read";
    try {
      decode(vector, new Blocks());
    } catch (error) {
      assert.ok(error instanceof CodecError, `${vector.name}: ${String(error)}`);
      assert.equal(error.code, "KNT_ERROR_CORRUPT");
      refusal = error.reason;
    }
    if (refusal !== vector.error) wrong.push(`${vector.name}: ${refusal} instead of ${String(vector.error)}`);
  }
  assert.deepEqual(wrong, []);
});
