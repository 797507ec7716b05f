// The values that are sent there and back. The records are also those of the codec's benches in Rust (`lib.rs`).

export interface Payload {
  readonly name: string;
  readonly value: unknown;
  /** Calls at once: 100 small values, 16 of some 64 KiB, 4 of 1 MiB and more. */
  readonly batch: number;
  /** Goal, in us per call. */
  readonly micros?: number;
  /** Goal, as a multiple of the case `number`. */
  readonly timesNumber?: number;
}

const KI = 1024;
const MI = 1024 * 1024;

/** ASCII text that differs from place to place. */
function text(length: number): string {
  let unit = "";
  for (let i = 0; i < 61; i++) unit += String.fromCharCode(33 + ((i * 7) % 90));
  return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
}

/** Nested records of some 90 bytes of JSON each. */
export function records(n: number): unknown[] {
  return Array.from({ length: n }, (_, i) => ({
    id: i,
    name: `user-${i}`,
    active: i % 3 === 0,
    score: i * 1.25,
    address: { city: i % 2 === 0 ? "Lisbon" : "Oslo", zip: `${10_000 + i}` },
  }));
}

function bytes(length: number): Uint8Array {
  const array = new Uint8Array(length);
  for (let i = 0; i < length; i++) array[i] = (i * 31) & 0xff;
  return array;
}

export const PAYLOADS: readonly Payload[] = [
  { name: "number", value: 42.5, batch: 100 },
  { name: "67-bit bigint", value: 123_456_789_012_345_678_901n, batch: 100, timesNumber: 1.5 },
  { name: "string 16", value: text(16), batch: 100, timesNumber: 1.5 },
  { name: "string 1 Ki", value: text(KI), batch: 100 },
  { name: "string 64 Ki", value: text(64 * KI), batch: 16, micros: 15 },
  { name: "string 1 Mi", value: text(MI), batch: 4, micros: 250 },
  { name: "{msg,id}", value: { msg: "hello", id: 7 }, batch: 100, timesNumber: 2 },
  { name: "Date", value: new Date(1_700_000_000_000), batch: 100, timesNumber: 1.5 },
  { name: "12 nested records", value: records(12), batch: 100, micros: 5 },
  { name: "1 000 nested records", value: records(1000), batch: 16 },
  {
    name: "array of 100 doubles",
    value: Array.from({ length: 100 }, (_, i) => i * 1.5 + 0.25),
    batch: 100,
    micros: 0.6,
  },
  { name: "Error", value: new TypeError("something is wrong"), batch: 100 },
  { name: "Uint8Array 1 Ki", value: bytes(KI), batch: 100 },
  { name: "Uint8Array 64 Ki", value: bytes(64 * KI), batch: 16, micros: 8 },
  { name: "Uint8Array 1 Mi", value: bytes(MI), batch: 4, micros: 80 },
  { name: "Uint8Array 4 Mi", value: bytes(4 * MI), batch: 4, micros: 300 },
];
