/**
 * resolveAfterFinishingAll: shutdown() waits for every call that was submitted, and takes no other.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { OptionError, PoolClosedError, WorkerCrashedError, createPool } from "../../ts/index.ts";
import { double, echo, sleepy } from "../fixtures/basic.ts";
import { dies } from "../fixtures/dying.ts";
import { reason, sleep, within } from "./support.ts";
import { kind } from "../fixtures/kind.ts";

const tasks = { double, echo, sleepy, dies };
const make = () => createPool(kind({ threads: 2, worker: { resolveAfterFinishingAll: true } }))(tasks);

test("shutdown() waits for every submitted call, whatever it waits for", async () => {
  const pool = make();
  const slow = [pool.call.sleepy(300), pool.call.echo("x".repeat(1_000_000)), pool.call.double(sleep(200).then(() => 21))];
  const many = Array.from({ length: 20_000 }, (_, i) => pool.call.double(i));
  const ended = pool.shutdown();
  const late = [reason(pool.call.double(1)), reason(pool.call.double(Promise.resolve(1)))];
  await within(ended, "shutdown()");
  let settled = false;
  const all = Promise.all([...slow, ...many]).then((answers) => {
    settled = true;
    return answers;
  });
  await null;
  await sleep(0);
  assert.ok(settled, "open calls when shutdown() resolved");
  assert.deepEqual((await all).slice(0, 3), [300, "x".repeat(1_000_000), 42]);
  assert.deepEqual(await Promise.all(many), Array.from({ length: 20_000 }, (_, i) => i * 2));
  for (const error of await Promise.all(late)) assert.ok(error instanceof PoolClosedError, String(error));
});

test("with a delay, calls made in between are waited for as well", async () => {
  const pool = make();
  const ended = pool.shutdown(2000);
  const between = pool.call.sleepy(2200);
  await sleep(50);
  const other = pool.call.double(4);
  await within(ended, "shutdown()");
  assert.deepEqual(await Promise.all([between, other]), [2200, 8]);
});

test("calls that fail meanwhile do not hold it up", async () => {
  const pool = make();
  const crash = reason(pool.call.dies("meanwhile"));
  const refused = reason(pool.call.echo(Promise.reject(new RangeError("no argument"))));
  const fine = pool.call.sleepy(100).catch((error: unknown) => error);
  await within(pool.shutdown(), "shutdown()");
  assert.ok((await crash) instanceof WorkerCrashedError);
  assert.ok((await refused) instanceof RangeError);
  const outcome = await fine;
  assert.ok(outcome === 100 || outcome instanceof WorkerCrashedError);
});

test("a pool that never called, and one that is idle again, end at once", async () => {
  await within(make().shutdown(), "shutdown() of a pool that was not used");
  const pool = make();
  assert.equal(await pool.call.double(2), 4);
  await sleep(50);
  await within(pool.shutdown(), "shutdown() of an idle pool");
});

test("a delay that is none is an error, and ends nothing", async () => {
  const pool = make();
  for (const bad of [-1, NaN, Infinity, "5", null, 2 ** 31]) assert.throws(() => pool.shutdown(bad as never), (error) => error instanceof OptionError && /delayMs/.test(error.message));
  assert.equal(await within(pool.call.double(3), "a call"), 6);
  await pool.shutdown(0);
});
