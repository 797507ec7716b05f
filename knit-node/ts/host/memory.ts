/**
 * Views of a pool's memory: the front with its rings and tables, and block heaps, mapped when they are first needed.
 */
import { ByteBuffer } from "../codec/buffer.ts";
import * as layout from "../generated/layout.ts";

/** The memory as one side sees it. */
export class PoolMemory {
  readonly front: ByteBuffer;
  readonly #heaps: (ByteBuffer | undefined)[] = [];
  readonly #openHeap: (heap: number) => ArrayBuffer;

  constructor(front: ArrayBuffer, openHeap: (heap: number) => ArrayBuffer) {
    this.front = new ByteBuffer(front, fixed);
    this.#openHeap = openHeap;
  }

  /** A block heap: 0 is the host's, `w + 1` worker `w`'s. */
  heap(heap: number): ByteBuffer {
    return (this.#heaps[heap] ??= new ByteBuffer(this.#openHeap(heap), fixed));
  }

  /** The words of the shape table of a worker, or of the host. */
  shapes(worker: number | "host"): Int32Array {
    const [at, bytes] =
      worker === "host"
        ? [this.#word(layout.HEADER_HOST_SHAPES), this.#word(layout.HEADER_HOST_SHAPE_BYTES)]
        : [
            this.#word(layout.HEADER_WORKER_SHAPES) + worker * this.#word(layout.HEADER_WORKER_SHAPE_BYTES),
            this.#word(layout.HEADER_WORKER_SHAPE_BYTES),
          ];
    return this.front.i32.subarray(at >>> 2, (at + bytes) >>> 2);
  }

  /** Gives the memory back, which else stays until the collector finds these views. They show nothing from then on. */
  close(hide: (buffer: ArrayBuffer) => void): void {
    for (const views of [this.front, ...this.#heaps]) {
      if (views !== undefined) hide(views.u8.buffer as ArrayBuffer);
    }
  }

  #word(byte: number): number {
    return this.front.i32[byte >>> 2];
  }
}

/** Bytes for frames: a whole number of granules, so that the last frame's padding is there. */
export function wholeGranules(bytes: number): number {
  return (bytes + (layout.GRANULE - 1)) & -layout.GRANULE;
}

function fixed(): never {
  throw new RangeError("shared memory does not grow");
}
