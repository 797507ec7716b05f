/**
 * The C interface as TypeScript calls it is the one that the header declares.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as abi from "../../ts/runtime/ffi/abi.ts";

const header = readFileSync(new URL("../../../knit-ffi/include/knit.h", import.meta.url), "utf8");

/** A declared function's arguments in the letters of `abi.ts`; what no letter stands for is a question mark. */
function letters(name: string): string | null {
  const found = new RegExp(`^int32_t ${name}\\(([^)]*)\\);`, "m").exec(header);
  if (found === null) return null;
  const list = found[1]!.trim();
  if (list === "void") return "";
  return list
    .split(",")
    .map((argument) => argument.trim().replace(/\w+$/, "").replace("const ", "").replaceAll(" ", ""))
    .map((type) => (type === "uint32_t" || type === "int32_t" ? "i" : type === "size_t" ? "z" : type === "void*" || type === "knit_ring" ? "a" : type.endsWith("*") ? "p" : "?"))
    .join("");
}

function constant(name: string): number {
  const found = new RegExp(`^#define ${name} (\\w+)$`, "m").exec(header);
  assert.ok(found, `${name} is in the header`);
  return found[1] === "INT32_MAX" ? 0x7fff_ffff : Number(found[1]);
}

/** How many words of 32 bits a struct of the header has. */
function words(name: string): number {
  const body = new RegExp(`^struct ${name} \\{([^}]*)\\}`, "m").exec(header)?.[1];
  assert.ok(body !== undefined, `${name} is in the header`);
  const sizes: Readonly<Record<string, number>> = { "uint8_t *": 2, uint64_t: 2, uint32_t: 1, int32_t: 1 };
  return body
    .split("\n")
    .map((line) => /^\s+(uint8_t \*|\w+ )\w+;$/.exec(line)?.[1]?.trim())
    .filter((type) => type !== undefined)
    .reduce((sum, type) => sum + sizes[type]!, 0);
}

for (const [group, functions] of Object.entries(abi)) {
  if (typeof functions !== "object" || functions instanceof Set || !Object.keys(functions).every((name) => name.startsWith("knit_"))) continue;
  test(`the functions of ${group} are declared as they are called`, () => {
    for (const [name, signature] of Object.entries(functions)) assert.equal(signature, letters(name), name);
  });
}

test("what is called often is there", () => {
  assert.deepEqual([...abi.OFTEN].filter((name) => !(name in abi.EVERYTHING)), []);
});

test("constants and sizes are the header's", () => {
  assert.equal(abi.NONE, constant("KNIT_NONE"));
  assert.equal(abi.STOPPED, constant("KNIT_STOP"));
  assert.deepEqual(
    { ...abi.MEMORY },
    { front: constant("KNIT_MEMORY_FRONT"), control: constant("KNIT_MEMORY_CONTROL"), figures: constant("KNIT_MEMORY_FIGURES"), heap: constant("KNIT_MEMORY_HEAP") },
  );
  assert.equal(abi.MEMORY_WORDS, words("knit_memory"));
  assert.equal(abi.OPTIONS_WORDS, words("knit_options"));
});
