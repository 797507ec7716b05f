// What is called in the bundle as in the documentation: runtimes print the names of classes.
import assert from "node:assert/strict";
import * as knitting from "@vixeny/knitting";
import { ProcessSharedBuffer } from "@vixeny/knitting/process-shared-buffer";

const classes = Object.entries({ ...knitting, ProcessSharedBuffer }).filter(([name]) => /^[A-Z]/.test(name));
assert.ok(classes.length > 10, `${classes.length} classes`);
for (const [name, value] of classes) assert.equal(value.name, name);
