/**
 * The TypeScript codec alone: ns per encode and per decode of one value, beside JSON.
 *
 *     node benches/runtime/codec.mjs [name ...]
 *
 * Every case is run in one process after all others warmed up, so that call sites have seen all kinds of values, as in a real pool.
 */
import { ByteBuffer } from "../../knit-node/ts/codec/buffer.ts";
import { Decoder } from "../../knit-node/ts/codec/decode.ts";
import { Encoder } from "../../knit-node/ts/codec/encode.ts";
import { DEFAULT_LIMITS } from "../../knit-node/ts/codec/format.ts";
import { ShapeReader, ShapeWriter } from "../../knit-node/ts/codec/shapes.ts";

const records = (n) =>
  Array.from({ length: n }, (_, i) => ({
    id: i,
    name: `user ${i}`,
    active: i % 2 === 0,
    address: { city: "Zurich", zip: 8000 + i },
    tags: ["alpha", "beta"],
  }));

const cases = {
  number: 42.5,
  integer: 7,
  undefined: undefined,
  true: true,
  "string 5": "hello",
  "string 16": "sixteen letters!",
  "string 24": "twenty-four letters here",
  "string 100": "0123456789".repeat(10),
  "string 1Ki": "x".repeat(1024),
  "string 64Ki": "x".repeat(65536),
  "string 16, not ASCII": "sechzehn Zeichén",
  "{msg,id}": { msg: "hello there", id: 12 },
  "{} of 8 numbers": { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8 },
  "bigint 60": 2n ** 60n + 3n,
  "bigint 67": 2n ** 67n + 12345n,
  date: new Date(1_700_000_000_000),
  "12 records": records(12),
  "1000 records": records(1000),
  "100 doubles": Array.from({ length: 100 }, (_, i) => i + 0.5),
  "100 integers": Array.from({ length: 100 }, (_, i) => i),
  "100 strings": Array.from({ length: 100 }, (_, i) => `string ${i}`),
  "Uint8Array 16": new Uint8Array(16).fill(7),
  "Uint8Array 1Ki": new Uint8Array(1024).fill(7),
  "Uint8Array 64Ki": new Uint8Array(65536).fill(7),
  "Map of 10": new Map(Array.from({ length: 10 }, (_, i) => [`k${i}`, i])),
  error: new TypeError("something is wrong"),
};

const table = new Int32Array(16384);
const encoder = new Encoder(new ShapeWriter(table), DEFAULT_LIMITS);
const decoder = new Decoder(new ShapeReader(table), DEFAULT_LIMITS);
const out = new ByteBuffer(new ArrayBuffer(1 << 22));

function encodeMany(value, n) {
  let end = 0;
  for (let i = 0; i < n; i++) end += encoder.encode(value, out, (i & 3) << 3);
  return end;
}
function decodeMany(length, n) {
  let last;
  for (let i = 0; i < n; i++) last = decoder.decode(out, 64, length);
  return last;
}
function jsonOut(value, n) {
  let length = 0;
  for (let i = 0; i < n; i++) length += JSON.stringify(value).length;
  return length;
}
function jsonIn(text, n) {
  let last;
  for (let i = 0; i < n; i++) last = JSON.parse(text);
  return last;
}

/** ns of `run(n)` per item: nearly the best of short rounds, because other processes can only add time. */
function measure(run, ms = 1) {
  let n = 1;
  let took = 0;
  while (took < ms) {
    n *= 2;
    const start = performance.now();
    run(n);
    took = performance.now() - start;
  }
  for (const start = performance.now(); performance.now() - start < 80; ) run(n);
  const rounds = [];
  for (let r = 0; r < 60; r++) {
    const start = performance.now();
    run(n);
    rounds.push(((performance.now() - start) * 1e6) / n);
  }
  return rounds.sort((a, b) => a - b)[3];
}

const args = globalThis.Deno?.args ?? process.argv.slice(2);
const chosen = Object.entries(cases).filter(([name]) => args.length === 0 || args.includes(name));
for (const value of Object.values(cases)) {
  for (let i = 0; i < 40; i++) {
    encodeMany(value, 8);
    const end = encoder.encode(value, out, 64);
    decodeMany(end - 64, 8);
  }
}
const f = (ns) => (ns < 1000 ? ns.toFixed(1) : ns.toFixed(0)).padStart(10);
console.log("ns".padEnd(24), ["encode", "decode", "stringify", "parse"].map((s) => s.padStart(10)).join(""));
for (const [name, value] of chosen) {
  const encode = measure((n) => encodeMany(value, n));
  const length = encoder.encode(value, out, 64) - 64;
  const decode = measure((n) => decodeMany(length, n));
  let json = "";
  const plain = typeof value !== "bigint" && value !== undefined && !name.startsWith("Map") && !name.startsWith("Uint") && name !== "error";
  if (plain) {
    const text = JSON.stringify(value);
    json = f(measure((n) => jsonOut(value, n))) + f(measure((n) => jsonIn(text, n)));
  }
  console.log(name.padEnd(24), f(encode) + f(decode) + json);
}
