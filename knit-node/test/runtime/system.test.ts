/**
 * What the package does by itself, since Node's modules are slow to load in other runtimes, it does as they do.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { exists, hrefOf, pathOf } from "../../ts/runtime/system.ts";

const PATHS = ["/", "/a/b.ts", "/a b/c#d?e%f.ts", "/\u00fc/\u65e5\u672c.ts", "/a\\b", "/x[y]{z}^~|`'\"<>.js", "/a\nb\tc\r", "/%41", "/a;b=c&d@e:f,+$!*()"];

test("paths become URLs, and URLs paths, as node:url has it", { skip: process.platform === "win32" }, () => {
  for (const path of PATHS) {
    assert.equal(hrefOf(path), pathToFileURL(path).href);
    assert.equal(fileURLToPath(hrefOf(path)), path);
    assert.equal(pathOf(pathToFileURL(path).href), path);
    assert.equal(hrefOf(pathOf(hrefOf(path))), hrefOf(path));
  }
});

test("files are there or not", () => {
  const here = fileURLToPath(import.meta.url);
  assert.deepEqual([here, `${here}.not`, `${here}/in-a-file`].map(exists), [true, false, false]);
});
