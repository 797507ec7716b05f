/**
 * Any value arrives as it left through a pool: generated values, as argument and as result.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";

import { parameters, recipes } from "../codec/property-recipes.ts";
import { difference } from "../fixtures/difference.ts";
import { build } from "../fixtures/recipe.ts";
import { compare, expectRecipe, makeRecipe } from "../fixtures/values.ts";
import { echo } from "../fixtures/basic.ts";
import { withPool } from "./support.ts";

test("any value arrives as it left, as argument and as result", { timeout: 120_000 }, () =>
  withPool({}, { compare, expectRecipe, makeRecipe }, async ({ call }) => {
    await fc.assert(
      fc.asyncProperty(recipes, async (recipe) => {
        const text = JSON.stringify(recipe);
        // One worker takes them in order.
        const [, argument, result] = await Promise.all([call.expectRecipe(text), call.compare(build(recipe)), call.makeRecipe(text)]);
        assert.equal(argument, null, "argument");
        assert.equal(difference(result, build(recipe)), null, "result");
      }),
      parameters(600),
    );
  }));

test("any values arrive as they left while others are under way", { timeout: 120_000 }, () =>
  withPool({ threads: 2 }, { echo }, async ({ call }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(recipes, { minLength: 20, maxLength: 60 }), async (several) => {
        const values = several.map(build);
        const got = await Promise.all(values.map((value) => call.echo(value)));
        got.forEach((value, i) => assert.equal(difference(value, values[i]), null, JSON.stringify(several[i])));
      }),
      parameters(20),
    );
  }));
