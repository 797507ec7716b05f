/**
 * Worker processes of every runtime, with this one as their host: what every call needs.
 */
import { existsSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import assert from "node:assert/strict";

import { WorkerCrashedError } from "../../ts/index.ts";
import type { PoolOptions } from "../../ts/index.ts";
import { ProcessSharedBuffer } from "../../ts/shared-memory/process-shared-buffer.ts";
import { Gate } from "../fixtures/held.ts";
import * as tasks from "../fixtures/matrix.ts";
import { GUARD_MS, reason, runtime, skip, sleep, withPool } from "../pool/support.ts";
import { processes } from "./support.ts";

const modules = fileURLToPath(new URL("../../../node_modules/", import.meta.url));
const RUNTIMES = [
  ["node22", "node", `${modules}node22/bin/node`],
  ["node24", "node", `${modules}node24/bin/node`],
  ["node26", "node", `${modules}node26/bin/node`],
  ["deno", "deno", `${modules}.bin/deno`],
  ["bun", "bun", `${modules}.bin/bun`],
] as const;

/** Lets `use` start workers that are found in that folder first. */
async function withPath<T>(folder: string, use: () => Promise<T>): Promise<T> {
  const path = process.env["PATH"];
  process.env["PATH"] = [folder, path].join(delimiter);
  try {
    return await use();
  } finally {
    process.env["PATH"] = path;
  }
}

const own = runtime === "node" ? `node${process.versions.node.split(".")[0]}` : runtime;

for (const [name, processRuntime, program] of RUNTIMES) {
  // Workers of this very runtime are what it is itself.
  if (processRuntime === runtime && name !== own) continue;
  test(`${name} works for this host: values, errors, time, aborts, deaths, shared memory`, (t) => {
    if (!existsSync(program)) return skip(t, `there is no ${program}`);
    const options: PoolOptions = processes({ processRuntime }, { threads: 2 });
    return withPath(dirname(program), () =>
      withPool(options, tasks, async ({ call, ...pool }) => {
        assert.equal(await call.runtime(), name);

        const many = Array.from({ length: 1000 }, (_, i) => i);
        assert.deepEqual(await Promise.all(many.map((i) => call.double(i))), many.map((i) => i * 2));
        const value = { text: "größer ".repeat(3000), list: [1, -0, 2n ** 70n, undefined], map: new Map([["a", new Set([1])]]), date: new Date(5), bytes: new Uint8Array(300_000).fill(3) };
        assert.deepEqual(await call.echo(value), value);

        const error = (await reason(call.throws("no"))) as RangeError;
        assert.ok(error instanceof RangeError && error.message === "no");
        assert.deepEqual(error.cause, { message: "no" });
        assert.equal(await call.later(5), 5);
        assert.equal(await call.slow(), "too late");
        const gate = new Gate();
        const open = call.loops(gate.shared);
        await gate.taken();
        open.reject();
        assert.equal(await open, "saw it");
        gate.shared.close();

        const buffer = ProcessSharedBuffer.create(400);
        const calls = Array.from({ length: 10 }, () => call.increments({ buffer }));
        // They must be on their way before this thread stands still.
        await sleep(1);
        assert.match(buffer.wait(0, 0, GUARD_MS / 2), /^(ok|not-equal)$/);
        await Promise.all(calls);
        assert.deepEqual(Array.from(buffer.view(Int32Array)), [1, ...Array(99).fill(10)]);
        const { list } = await call.makes(64);
        list[1]!.bytes()[0] = 9;
        assert.deepEqual([list[0]!.size, list[0]!.bytes()[4], list[0]!.bytes()[5]], [64, 9, 7]);
        for (const each of [buffer, ...list]) each.close();

        const word = ProcessSharedBuffer.create(4);
        const dead = reason(call.occupies(word));
        // The other worker goes on meanwhile.
        while (word.view(Int32Array)[0] === 0) assert.equal(await call.double(4), 8);
        process.kill(word.view(Int32Array)[0]!, "SIGKILL");
        const death = await dead;
        assert.ok(death instanceof WorkerCrashedError && death.signal === "SIGKILL", String(death));
        word.close();
        assert.deepEqual(await Promise.all([1, 2, 3].map((n) => call.double(n))), [2, 4, 6]);
        assert.equal(pool.stats().respawns, 1);
      }),
    );
  });
}
