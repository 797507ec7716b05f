/**
 * Functions of packages may stand in place of tasks as other exported functions may, wherever the package is found.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { hash } from "fast-check";

import { add } from "../fixtures/control/plain.ts";
import { runInstalled } from "./installed.ts";
import { withPool } from "./support.ts";

// It has one module for those who import it and another for those who require it.
test("a package that this one finds, too", async () => {
  await withPool({}, { hash, add }, async ({ call }) => {
    assert.equal(await call.hash("knit"), hash("knit"));
    assert.equal(await call.add({ a: 1, b: 2 }), 3);
  });
});

test("a package that only the program has", async () => {
  const files = {
    "app/package.json": `{ "type": "module", "dependencies": { "@vixeny/knitting": "*", "triple": "*" } }`,
    "app/node_modules/triple/package.json": `{ "name": "triple", "version": "1.0.0", "type": "module", "exports": "./index.js" }`,
    "app/node_modules/triple/index.js": "export const triple = (x) => x * 3;",
    "app/program.js": `
      import { createPool, isMain } from "@vixeny/knitting";
      import { triple } from "triple";
      if (isMain) {
        const pool = createPool({ permission: "unsafe" })({ triple });
        console.log(JSON.stringify(await pool.call.triple(5)));
        await pool.shutdown();
      }
    `,
  };
  assert.equal(await runInstalled(files, "app/program.js"), 15);
});
