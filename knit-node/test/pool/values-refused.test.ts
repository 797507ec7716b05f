/**
 * Every kind of value that is refused rejects the call it belongs to with its path, kind and code, wherever it is, as argument and as result.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { UnsupportedValueError } from "../../ts/index.ts";
import { echo, whoAmI } from "../fixtures/basic.ts";
import { REFUSED, makeRefused, returnRefused, returnRefusedLater, throwRefused } from "../fixtures/refused-values.ts";
import { PLACES } from "../fixtures/values.ts";
import { withPool } from "./support.ts";

const tasks = { echo, whoAmI, returnRefused, returnRefusedLater, throwRefused };

/** What is wrong with how the call was refused; null if nothing is. */
async function complaint(call: Promise<unknown>, code: string, path: string, kind: RegExp): Promise<string | null> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof UnsupportedValueError)) return `refused with ${String(error)}`;
    if (error.code !== code || error.path !== path || !kind.test(error.kind)) return `refused as ${error.code}, ${error.path}, ${error.kind}; not ${code}, ${path}, ${kind}`;
    if (!error.message.includes(path) || !error.message.includes(error.kind)) return `the message does not say so: ${error.message}`;
    return error.name === "UnsupportedValueError" && typeof error.stack === "string" ? null : "no error with a name and a stack";
  }
  return "was not refused";
}

/** Inside an Error. One that is thrown travels all the same, without what cannot: what it says is worth more. */
const IN_ERROR = ["as a cause", "as a property of an error", "as a code", "among errors"];

/** What is wrong with how such an Error came; null if nothing is. */
async function mangled(call: Promise<unknown>): Promise<string | null> {
  const error = await call.catch((reason: unknown) => reason);
  return error instanceof Error && error.message === "outer" && !(error instanceof UnsupportedValueError) ? null : `came as ${String(error)}`;
}

for (const [place, [, path]] of Object.entries(PLACES)) {
  test(`every kind of value that is refused rejects its call, ${place}, as argument and as result`, { timeout: 120_000 }, () =>
    withPool({}, tasks, async ({ call }) => {
      const id = await call.whoAmI();
      const wrong: string[] = [];
      for (const [value, [, code, kind]] of Object.entries(REFUSED)) {
        const wanted = { value, place };
        const ways: [string, Promise<unknown>, string][] = [];
        const thrown = call.throwRefused(wanted);
        if (IN_ERROR.includes(place)) {
          const how = await mangled(thrown);
          if (how !== null) wrong.push(`${value} as thrown value: ${how}`);
        } else {
          ways.push(["as thrown value", thrown, `result${path}`]);
        }
        // A promise that is an argument itself is awaited. So are results, for which the language asks every object for its `then`.
        const awaited = path === "" && value === "a promise";
        if (!awaited) ways.push(["as argument", call.echo(makeRefused(wanted)), `arg${path}`]);
        if (!awaited && (path !== "" || value !== "a revoked proxy")) {
          ways.push(["as result", call.returnRefused(wanted), `result${path}`], ["as result of a promise", call.returnRefusedLater(wanted), `result${path}`]);
        }
        const found = await Promise.all(ways.map(([, refused, at]) => complaint(refused, code, at, kind)));
        found.forEach((one, i) => one !== null && wrong.push(`${value} ${ways[i]![0]}: ${one}`));
      }
      assert.deepEqual(wrong, []);
      // Nothing of them is left behind, and the worker is the same.
      assert.deepEqual(await call.echo([{ fine: true }]), [{ fine: true }]);
      assert.equal(await call.whoAmI(), id);
    }));
}
