/**
 * A library that cannot be loaded: the error says which file, why, and what to do.
 */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { runtime, script, skip } from "../pool/support.ts";

test("where there is none, as beside a bundle", async () => {
  const folder = mkdtempSync(join(tmpdir(), "knit-no-library-"));
  try {
    cpSync(fileURLToPath(new URL("../../ts", import.meta.url)), join(folder, "ts"), { recursive: true });
    const { createPool, task } = (await import(pathToFileURL(join(folder, "ts/index.ts")).href)) as typeof import("../../ts/index.ts");
    assert.throws(
      () => createPool({ permission: "unsafe" })({ one: task({ f: () => 1 }) }),
      (error: Error & { code?: string }) => error.code === "KNT_NO_ENGINE" && error.message.includes(`${folder}/lib/knit-node.`) && error.message.includes("as external"),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("where Node.js loads no addons", async (t) => {
  if (runtime !== "node") return skip(t, "others have no such flag");
  const { code, err } = await script("ends.ts", ["never calls"], ["--no-addons"]);
  assert.notEqual(code, 0);
  assert.match(err, /KnitError: Cannot load the native library .*knit-node\.\S+\.node: .*add --allow-addons .*leave out --no-addons/);
});
