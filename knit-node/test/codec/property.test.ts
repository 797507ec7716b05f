/**
 * Any value arrives as it left: generated values of every kind, mixed, shared and in cycles, many through one channel.
 */
import { test } from "node:test";
import fc from "fast-check";
import { Channel, SETUPS } from "./support.ts";
import { parameters, recipes } from "./property-recipes.ts";
import { build } from "../fixtures/recipe.ts";
import { difference } from "../fixtures/difference.ts";

/** Recipes differ in shape from message to message, but share their keys: tables fill, and generated code comes into use. */
const RUNS = 600;

function report(found: string | null): void {
  if (found !== null) throw new Error(found);
}

for (const [setup, options] of SETUPS) {
  test(`any value arrives as it left, ${setup}`, () => {
    const channel = new Channel(options);
    fc.assert(
      fc.property(recipes, (recipe) => {
        const value = build(recipe);
        report(difference(channel.send(value), value));
      }),
      parameters(RUNS),
    );
  });

  test(`any value arrives as it left when it was sent before, ${setup}`, () => {
    fc.assert(
      fc.property(fc.array(recipes, { minLength: 1, maxLength: 3 }), (several) => {
        const channel = new Channel(options);
        for (let round = 0; round < 30; round++) {
          const values = several.map(build);
          for (const value of values) report(difference(channel.send(value), value));
        }
      }),
      parameters(RUNS / 20),
    );
  });
}

test("what arrived can be sent on, and arrives as it left", () => {
  const channel = new Channel();
  fc.assert(
    fc.property(recipes, (recipe) => {
      const value = build(recipe);
      report(difference(channel.send(channel.send(value)), value));
    }),
    parameters(RUNS),
  );
});
