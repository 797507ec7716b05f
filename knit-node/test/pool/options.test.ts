/**
 * An unknown option is an error that names the nearest known one; a value that an option does not take is an error that names it.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { OptionError, createPool, importTask, setModuleUrl } from "../../ts/index.ts";
import { double } from "../fixtures/basic.ts";
import { runtime, skip, withPool } from "./support.ts";
import { inProcesses } from "../fixtures/kind.ts";

const MIB = 1024 * 1024;

const UNKNOWN: readonly (readonly [options: object, unknown: string, nearest: string])[] = [
  [{ thread: 2 }, "thread", "threads"],
  [{ Threads: 2 }, "Threads", "threads"],
  [{ balance: "roundRobin" }, "balance", "balancer"],
  [{ execArgv: [] }, "execArgv", "workerExecArgv"],
  [{ host: { steel: true } }, "steel", "steal"],
  [{ payload: { maxPayloadByte: 1 } }, "maxPayloadByte", "maxPayloadBytes"],
  [{ payload: { payloadMaxBytesLength: 1 } }, "payloadMaxBytesLength", "payloadMaxByteLength"],
  [{ worker: { respwan: true } }, "respwan", "respawn"],
  [{ worker: { resourcelimit: {} } }, "resourcelimit", "resourceLimits"],
  [{ worker: { timers: { spinMicrosecond: 1 } } }, "spinMicrosecond", "spinMicroseconds"],
  [{ worker: { timers: { spin: 1 } } }, "spin", "spinMicroseconds"],
  [{ worker: { timers: { parkMS: 1 } } }, "parkMS", "parkMs"],
  [{ worker: { timers: { pauseNanosecond: 1 } } }, "pauseNanosecond", "pauseNanoseconds"],
  [{ payload: { modes: "fixed" } }, "modes", "mode"],
  [{ payload: { payloadInitialByte: 1 } }, "payloadInitialByte", "payloadInitialBytes"],
  [{ balancer: { strateg: "roundRobin" } }, "strateg", "strategy"],
  [{ worker: { resourceLimits: { maxOldGenerationSizeMB: 64 } } }, "maxOldGenerationSizeMB", "maxOldGenerationSizeMb"],
];

test("an unknown option is an error that names it and the nearest known one", () => {
  for (const [options, unknown, nearest] of UNKNOWN) {
    assert.throws(
      () => createPool(options as never),
      (error) => {
        assert.ok(error instanceof OptionError, String(error));
        assert.equal(error.code, "KNT_OPTION");
        assert.ok(error.message.includes(`"${unknown}"`) && error.message.includes(`"${nearest}"`), error.message);
        return true;
      },
      unknown,
    );
  }
});

const BAD: readonly (readonly [options: unknown, names: RegExp])[] = [
  [[], /createPool takes an object of options, not an array/],
  [{ payload: [] }, /payload takes an object of options, not an array/],
  ...[0, -1, 1.5, NaN, Infinity, 1025, "2", null, 2n, {}, [2]].map((threads) => [{ threads }, /threads.*1 to 1024/] as const),
  ...["fastest", "", 5, null, { strategy: "fastest" }, {}, []].map((balancer) => [{ balancer }, /balancer/] as const),
  ...[1, "true", null].map((steal) => [{ host: { steal } }, /host\.steal/] as const),
  ...[0, -5, 1.5, "1", 2 ** 40].map((payloadMaxByteLength) => [{ payload: { payloadMaxByteLength } }, /payload\.payloadMaxByteLength/] as const),
  ...[0, 65 * MIB, "1"].map((maxPayloadBytes) => [{ payload: { maxPayloadBytes } }, /payload\.maxPayloadBytes/] as const),
  ...["yes", 0].map((respawn) => [{ worker: { respawn } }, /worker\.respawn/] as const),
  ...[-1, 0.5, "50", 1e9].map((spinMicroseconds) => [{ worker: { timers: { spinMicroseconds } } }, /worker\.timers\.spinMicroseconds/] as const),
  ...[0, -1, 1.5, "60", 2 ** 31].map((parkMs) => [{ worker: { timers: { parkMs } } }, /worker\.timers\.parkMs/] as const),
  ...[-1, 0.5, "5", 1_000_001].map((pauseNanoseconds) => [{ worker: { timers: { pauseNanoseconds } } }, /worker\.timers\.pauseNanoseconds/] as const),
  ...["grow", "", null, true].map((mode) => [{ payload: { mode } }, /payload\.mode/] as const),
  ...[-1, 0.5, "1", 65 * MIB].map((payloadInitialBytes) => [{ payload: { payloadInitialBytes } }, /payload\.payloadInitialBytes/] as const),
  [{ payload: { mode: "fixed", payloadInitialBytes: 4096 } }, /payload\.payloadInitialBytes.*fixed/],
  ...[5, "--flag", [5], {}].map((workerExecArgv) => [{ workerExecArgv }, /workerExecArgv/] as const),
  ...[{ maxOldGenerationSizeMb: "64" }, { stackSizeMb: -1 }, 5].map((resourceLimits) => [{ worker: { resourceLimits } }, /resourceLimits/] as const),
  ...["host", "payload", "worker"].flatMap((group) => [null, 5, "x"].map((value) => [{ [group]: value }, new RegExp(group)] as const)),
  [{ worker: { bootstrap: { href: "http://[" } } }, /worker\.bootstrap\.href/],
  [null, /createPool/],
  ["threads", /createPool/],
  [4, /createPool/],
];

test("a value that an option does not take is an error that names the option, raised by createPool(options)", () => {
  for (const [options, names] of BAD) {
    assert.throws(
      () => createPool(options as never),
      (error) => error instanceof OptionError && error.code === "KNT_OPTION" && names.test(error.message),
      `${typeof options === "object" ? JSON.stringify(options, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)) : String(options)}`,
    );
  }
});

test("tasks that are none are an error that says what is wanted", () => {
  for (const tasks of [undefined, null, 5, "double", { double: 5 }, { double: null }, [5]]) {
    assert.throws(() => createPool()(tasks as never), (error) => error instanceof OptionError && /task/.test(error.message), String(tasks));
  }
});

test("what is no URL is an error that says so", () => {
  const refused = (what: RegExp) => (error: unknown) => error instanceof OptionError && what.test(error.message);
  for (const url of ["tasks.ts", "", 5, undefined, "http://["]) assert.throws(() => setModuleUrl(url as never), refused(/setModuleUrl/), String(url));
  assert.throws(() => importTask({ href: "http://[" }), refused(/importTask\(\{ href \}\).*URL/));
});

/** Only Node's threads take them. */
const LIMITS = runtime === "node" ? { resourceLimits: { maxOldGenerationSizeMb: 256, stackSizeMb: 4 } } : {};

test("what the runtime's threads cannot be given is an error that names it", (t) => {
  if (runtime === "node") return skip(t, "its threads take flags and limits");
  for (const [options, names] of [
    [{ workerExecArgv: ["--no-warnings"] }, /workerExecArgv.*--no-warnings/],
    [{ worker: { resourceLimits: { maxOldGenerationSizeMb: 256 } } }, /resourceLimits/],
  ] as const) {
    assert.throws(() => createPool(options)({ double }), (error) => error instanceof OptionError && names.test(error.message));
  }
});

test("everything may be left out, undefined, or given in full", async () => {
  for (const options of [
    {},
    undefined,
    { threads: undefined, balancer: undefined, host: undefined, payload: undefined, worker: undefined, workerExecArgv: undefined },
    { host: { steal: undefined }, payload: { payloadMaxByteLength: undefined }, worker: { respawn: undefined, timers: {} } },
    {
      threads: 2,
      balancer: { strategy: "robinRound" },
      host: { steal: true },
      payload: { mode: "fixed", payloadInitialBytes: MIB, payloadMaxByteLength: MIB, maxPayloadBytes: MIB },
      worker: { respawn: false, ...(inProcesses ? {} : LIMITS), timers: { spinMicroseconds: 10, parkMs: 1000, pauseNanoseconds: 500 } },
      workerExecArgv: runtime === "node" ? ["--no-warnings"] : [],
    },
  ] as const) {
    await withPool(options as object, { double }, async ({ call }) => assert.equal(await call.double(4), 8));
  }
});

test("the smallest pool works, and spinning for long does too", async () => {
  await withPool({ payload: { payloadMaxByteLength: 65_536, maxPayloadBytes: 64 } }, { double }, async ({ call }) => assert.equal(await call.double(1), 2));
  await withPool({ worker: { timers: { spinMicroseconds: 2000 } } }, { double }, async ({ call }) => assert.equal(await call.double(1), 2));
});

test("a task of another copy of this package is refused, and the error says so", () => {
  // What another copy makes, for this one: an instance of a class that it does not know.
  const TASKS = Symbol.for("@vixeny/knitting task");
  assert.equal((double.constructor as unknown as Record<symbol, unknown>)[TASKS], "@vixeny/knitting");
  const foreign = new (class {
    static readonly [TASKS] = "@vixeny/knitting";
  })();
  assert.throws(
    () => createPool()({ foreign: foreign as unknown as typeof double }),
    (error) => error instanceof OptionError && /foreign.*another copy.*npm ls @vixeny\/knitting/.test(error.message),
  );
});
