/**
 * A plan takes the engine milliseconds, so pools of the same policy for the same project share one.
 */
import { test } from "node:test";
import assert from "node:assert/strict";

import { Permissions } from "../../ts/host/permissions.ts";
import type { Target } from "../../ts/host/permissions.ts";
import { engine } from "../../ts/runtime/engine.ts";
import type { Native } from "../../ts/runtime/native.ts";
import { environment } from "../../ts/runtime/system.ts";
import { targetOf } from "../../ts/runtime/target.ts";
import { skip } from "../pool/support.ts";

const PROCESSES = { prefix: [], runtime: null, command: null, named: null };

/** The engine; `planned` has the requests that it was asked to plan. */
function counting(): { readonly native: Native; readonly planned: string[] } {
  const native = engine();
  const planned: string[] = [];
  const permissionPlan = (request: string): string => {
    planned.push(request);
    return native.permissionPlan(request);
  };
  return { native: { ...native, permissionPlan }, planned };
}

function target(): Target {
  return targetOf(PROCESSES, [import.meta.url]);
}

test("the same policy is planned once, in whatever order the runtime tells the environment", (t) => {
  if (process.platform !== "linux") return skip(t, "the sandbox is for Linux");
  const { native, planned } = counting();
  const variables = Object.entries(environment());
  const orders = [variables, variables.toReversed(), [...variables.slice(1), ...variables.slice(0, 1)]];
  const plans = orders.map((order) => new Permissions(native, {}, target, Object.fromEntries(order), false).text);
  assert.equal(planned.length, 1);
  assert.notEqual(plans[0], "");
  assert.equal(new Set(plans).size, 1);
  // As pools ask: Deno tells it in an order that is never the same.
  for (let i = 0; i < 8; i++) new Permissions(native, {}, target, environment(), false);
  assert.equal(planned.length, 1);
});

test("another policy or another environment is planned anew", (t) => {
  if (process.platform !== "linux") return skip(t, "the sandbox is for Linux");
  const { native, planned } = counting();
  const env = { ...environment() };
  const texts = [
    new Permissions(native, { run: [] }, target, env, false).text,
    new Permissions(native, { run: [], console: false }, target, env, false).text,
    new Permissions(native, { run: [] }, target, { ...env, LANG: "xx" }, false).text,
    new Permissions(native, { run: [] }, target, env, false).text,
  ];
  assert.equal(planned.length, 3);
  assert.equal(new Set(texts).size, 3);
});
