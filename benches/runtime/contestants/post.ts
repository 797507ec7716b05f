// A bare worker and `postMessage`: one message per call, `[id, function, argument]`, answers matched by id, workers in turn.
import type { Channel } from "../adapters/runtime.ts";
import type { Contestant, Start } from "./contestant.ts";

/** Positions in the table of `workers/post-dispatch.js`. */
const CLOCK = 0;
const EMPTY = 1;
const ECHO = 2;
const SLEEP = 3;
const SPIN = 4;
const FIB = 5;

type Settle = { resolve: (value: any) => void; reject: (error: unknown) => void };

class Calls {
  readonly #channels: Channel[];
  readonly #pending: (Settle | undefined)[] = [];
  readonly #free: number[] = [];
  #turn = 0;

  constructor(channels: Channel[]) {
    this.#channels = channels;
    for (const channel of channels) {
      channel.onMessage((message) => {
        const [id, value] = message as [number, unknown];
        const { resolve } = this.#pending[id]!;
        this.#pending[id] = undefined;
        this.#free.push(id);
        resolve(value);
      });
      channel.onError((error) => {
        for (const call of this.#pending) call?.reject(error);
      });
    }
  }

  send(f: number, value?: unknown): Promise<any> {
    return new Promise((resolve, reject) => {
      const id = this.#free.pop() ?? this.#pending.length;
      this.#pending[id] = { resolve, reject };
      const channel = this.#channels[this.#turn]!;
      this.#turn = this.#turn + 1 === this.#channels.length ? 0 : this.#turn + 1;
      channel.post([id, f, value]);
    });
  }
}

export const start: Start = (runtime, workers): Contestant => {
  const channels = Array.from({ length: workers }, () => runtime.startWorker());
  const calls = new Calls(channels);
  return {
    name: "post",
    clock: () => calls.send(CLOCK),
    empty: () => calls.send(EMPTY),
    echo: (value) => calls.send(ECHO, value),
    sleep: (ms) => calls.send(SLEEP, ms),
    pause: () => Promise.reject(new Error("a bare worker awaits nothing")),
    spin: (ms) => calls.send(SPIN, ms),
    fib: (n) => calls.send(FIB, n),
    async oneByOne(durations) {
      let before = performance.now();
      for (let i = 0; i < durations.length; i++) {
        await calls.send(EMPTY);
        const after = performance.now();
        durations[i] = after - before;
        before = after;
      }
    },
    emptyBatch(n) {
      const all = new Array<Promise<unknown>>(n);
      for (let i = 0; i < n; i++) all[i] = calls.send(EMPTY);
      return Promise.all(all);
    },
    echoBatch(value, n) {
      const all = new Array<Promise<unknown>>(n);
      for (let i = 0; i < n; i++) all[i] = calls.send(ECHO, value);
      return Promise.all(all);
    },
    close: async () => void (await Promise.all(channels.map((channel) => channel.close()))),
  };
};
