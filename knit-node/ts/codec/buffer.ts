/**
 * One stretch of memory seen through the views that the codec needs.
 *
 * The views start at the buffer's first byte, so a byte position `at` (a multiple of 8) is slot `at >>> 3` of `f64`. Whoever owns the
 * memory may replace it by a larger one (`grow`); contents up to the old length are kept. Not synchronised: publication is the caller's.
 */

/** Makes room: afterwards the buffer has at least `minBytes` bytes, or this throws. */
export type Grow = (minBytes: number) => void;

export class ByteBuffer {
  u8!: Uint8Array;
  i32!: Int32Array;
  f64!: Float64Array;
  big64!: BigInt64Array;
  byteLength!: number;
  /** Replaceable by the owner; without one, a private copy of at least twice the size takes over. */
  grow: Grow;

  constructor(buffer: ArrayBuffer, grow?: Grow) {
    this.attach(buffer);
    this.grow = grow ?? ((minBytes) => this.#reallocate(minBytes));
  }

  /** Shows another buffer through this object. Bytes past the last whole slot are not used. */
  attach(buffer: ArrayBuffer): void {
    const slots = buffer.byteLength >>> 3;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer, 0, slots * 2);
    this.f64 = new Float64Array(buffer, 0, slots);
    this.big64 = new BigInt64Array(buffer, 0, slots);
    this.byteLength = slots * 8;
  }

  #reallocate(minBytes: number): void {
    const size = Math.max(minBytes, this.byteLength * 2);
    const larger = new ArrayBuffer((size + 7) & ~7);
    new Uint8Array(larger).set(this.u8);
    this.attach(larger);
  }
}
