/**
 * Types keep a task's argument and result from end to end. Checked by the compiler; nothing here runs.
 */
import { Envelope, createPool, importTask, task } from "../../ts/index.ts";
import type { AbortablePromise, ArgumentCall, Call, OptionalCall, Pool, PoolOptions, Task } from "../../ts/index.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._yes: Same<A, B> extends true ? [] : [never]): void {}

interface User {
  readonly id: number;
  readonly tags: readonly string[];
}

const tasks = {
  double: task({ f: (n: number) => n * 2 }),
  later: task({ f: async (user: User) => ({ ...user, seen: true }) }),
  thenable: task({ f: (n: number): PromiseLike<string> => Promise.resolve(`${n}`) }),
  none: task({ f: () => "none" }),
  optional: task({ f: (n?: number) => n ?? 0 }),
  union: task({ f: (value: string | Uint8Array) => value.length }),
  unknown: task({ f: (value: unknown) => typeof value }),
  nothing: task({ f: (_: number): void => {} }),
  fails: task({ f: (_: number): never => { throw new Error(); } }),
  envelope: task({ f: ({ header, body }: Envelope<string, Uint8Array>) => new Envelope(header.length, body) }),
};

export async function calls(): Promise<void> {
  const pool = createPool({ threads: 2 })(tasks);
  const { call } = pool;
  same<typeof pool, Pool<typeof tasks>>();

  // Results.
  const doubled = await call.double(2);
  same<typeof doubled, number>();
  const seen = await call.later({ id: 1, tags: [] });
  same<typeof seen, { seen: boolean; id: number; tags: readonly string[] }>();
  const text = await call.thenable(1);
  same<typeof text, string>();
  const nothing = await call.nothing(1);
  same<typeof nothing, void>();
  const never = call.fails(1);
  same<typeof never, Promise<never>>();
  const { header, body } = await call.envelope(new Envelope("h", new Uint8Array(1)));
  same<typeof header, number>();
  same<typeof body, Uint8Array>();
  const plain = call.double(2);
  same<typeof plain, Promise<number>>();

  // Arguments, and promises of them.
  await call.double(Promise.resolve(2));
  await call.double(call.double(2));
  await call.none();
  await call.optional();
  await call.optional(1);
  await call.optional(Promise.resolve(1));
  await call.union("text");
  await call.union(new Uint8Array(1));
  await call.unknown({ any: "thing" });
  await call.unknown();

  // @ts-expect-error a string is no number
  await call.double("2");
  // @ts-expect-error a promise of a string neither
  await call.double(Promise.resolve("2"));
  // @ts-expect-error the argument lacks
  await call.double();
  // @ts-expect-error more arguments than one
  await call.double(1, 2);
  // @ts-expect-error a member lacks
  await call.later({ id: 1 });
  // @ts-expect-error not one of the union
  await call.union(5);
  // @ts-expect-error there is no such task
  await call.triple(1);
  // @ts-expect-error calls are not replaced
  call.double = call.later;
  // @ts-expect-error the result is no string
  (await call.double(2)).length;

  await pool.shutdown();
  await pool.shutdown(100);
  // @ts-expect-error a number of milliseconds
  await pool.shutdown("100");
  const disposable: Disposable & AsyncDisposable = pool;
  void disposable;
}

/** Timeouts and aborts show in what a call gives. */
export async function controlled(): Promise<void> {
  const { call } = createPool()({
    withDefault: task({ f: (n: number) => n, timeout: { time: 5, default: "late" } }),
    maybe: task({ f: async (n: number) => n, timeout: { time: 5, maybe: true } }),
    plain: task({ f: (n: number) => n, timeout: 5 }),
    aborts: task({ f: (n: number, { hasAborted }) => (hasAborted() ? "aborted" : n), abortSignal: true }),
    imported: importTask<(text: string) => number>({ href: "./x.js" }),
    pair: importTask<string, number>({ href: "./x.js", timeout: 5 }),
    negate: (n: number) => -n,
  });
  const withDefault = await call.withDefault(1);
  same<typeof withDefault, number | string>();
  const maybe = await call.maybe(1);
  same<typeof maybe, number | undefined>();
  const plain = await call.plain(1, { signal: AbortSignal.timeout(5) });
  same<typeof plain, number>();
  const open = call.aborts(1);
  open.reject(new Error("not needed"));
  open.reject();
  const aborted = await open;
  same<typeof aborted, "aborted" | number>();
  const imported = await call.imported("text");
  same<typeof imported, number>();
  const pair = await call.pair("text");
  same<typeof pair, number>();
  const negated = await call.negate(1);
  same<typeof negated, number>();
  // @ts-expect-error only calls of abort-aware tasks can be rejected
  call.plain(1).reject();
  // @ts-expect-error a string is no number
  await call.negate("1");
  // @ts-expect-error the signal lacks
  await call.plain(1, {});
}

export function shapes(): void {
  same<Call<Task<number, Promise<string>>>, ArgumentCall<number, Promise<string>>>();
  same<Call<Task<number | undefined, string>>, OptionalCall<number | undefined, Promise<string>>>();
  same<Call<Task<number, Promise<string>, true>>, ArgumentCall<number, AbortablePromise<string>>>();
  same<Call<(n: number) => Promise<string>>, ArgumentCall<number, Promise<string>>>();
  same<Call<() => void>, OptionalCall<unknown, Promise<void>>>();

  // @ts-expect-error a task takes one argument
  task({ f: (a: number, b: number) => a + b });
  // @ts-expect-error f lacks
  task({});
  // @ts-expect-error there is no such option
  task({ f: (n: number) => n, timout: 5 });
  // @ts-expect-error a number is no task
  createPool({})({ five: 5 });

  const options: PoolOptions = { threads: 2, balancer: { strategy: "roundRobin" }, payload: { maxPayloadBytes: 1 }, worker: { respawn: false } };
  createPool(options);
  createPool();
  // @ts-expect-error there is no such option
  createPool({ thread: 2 });
  // @ts-expect-error nor inside a group
  createPool({ worker: { respwan: true } });
  // @ts-expect-error a number
  createPool({ threads: "2" });
  // @ts-expect-error there is no such balancer
  createPool({ balancer: "fastest" });
}
