/**
 * Named memory: exclusive, private, checked, and shared with unrelated processes of any runtime.
 */
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { OptionError } from "../../ts/index.ts";
import { ProcessSharedBuffer } from "../../ts/shared-memory/process-shared-buffer.ts";
import { GUARD_MS, sleep } from "../pool/support.ts";
import { coded } from "./support.ts";

const PREFIX = `kt-${process.pid.toString(36)}-`;
let serial = 0;
const fresh = (): string => `${PREFIX}${serial++}`;

after(() => {
  for (let i = 0; i < serial; i++) {
    try {
      ProcessSharedBuffer.unlink(`${PREFIX}${i}`);
    } catch {
      // Freed by its test.
    }
  }
});

test("a name is created once, opened often, and unlinked once", () => {
  const name = fresh();
  const made = ProcessSharedBuffer.create({ name, size: 100, mode: "create" });
  assert.deepEqual([made.name, made.size], [name, 100]);
  assert.throws(() => ProcessSharedBuffer.create({ name, size: 100, mode: "create" }), coded("SHM_NAME_TAKEN"));
  const opened = ProcessSharedBuffer.create({ name, size: 100, mode: "open" });
  opened.bytes()[99] = 8;
  assert.equal(made.bytes()[99], 8);
  ProcessSharedBuffer.unlink(name);
  opened.bytes()[98] = 9;
  assert.equal(made.bytes()[98], 9, "the memory stays for those who have it");
  assert.throws(() => ProcessSharedBuffer.unlink(name), coded("SHM_NAME_MISSING"));
  assert.throws(() => ProcessSharedBuffer.open(name), coded("SHM_NAME_MISSING"));
  for (const each of [made, opened]) each.close();
});

test("asking for more than there is is an error, for less a window", () => {
  const name = fresh();
  const made = ProcessSharedBuffer.create({ name, size: 8192, mode: "create" });
  for (const size of [8193, 1 << 20, 0xffff_ffff]) {
    assert.throws(() => ProcessSharedBuffer.open(name, size), coded("KNT_SHARED_BOUNDS"));
    assert.throws(() => ProcessSharedBuffer.create({ name, size, mode: "open" }), coded("KNT_SHARED_BOUNDS"));
  }
  const less = ProcessSharedBuffer.open(name, 10);
  assert.deepEqual([less.size, less.byteLength, less.getBuffer().byteLength], [10, 10, 10]);
  const all = ProcessSharedBuffer.create({ name, mode: "open" });
  assert.equal(all.size, 8192);
  for (const each of [made, less, all]) each.close();
});

test("a name has 1 to 30 characters, no slash and no NUL", () => {
  const longest = `${PREFIX}${"x".repeat(30)}`.slice(0, 30);
  const made = ProcessSharedBuffer.create({ name: longest, size: 8, mode: "create" });
  ProcessSharedBuffer.unlink(longest);
  made.close();
  for (const name of ["", `${longest}x`, "a/b", "/a", "a\0b", ".", "..", "half \ud800"]) {
    assert.throws(() => ProcessSharedBuffer.create({ name, size: 8, mode: "create" }), coded("SHM_BAD_NAME"));
    assert.throws(() => ProcessSharedBuffer.open(name), coded("SHM_BAD_NAME"));
    assert.throws(() => ProcessSharedBuffer.unlink(name), coded("SHM_BAD_NAME"));
  }
  for (const name of [undefined, 7, null]) assert.throws(() => ProcessSharedBuffer.open(name as unknown as string), (error) => error instanceof OptionError);
  for (const mode of [undefined, "write"]) {
    assert.throws(() => ProcessSharedBuffer.create({ name: fresh(), size: 8, mode: mode as "open" }), (error) => error instanceof OptionError);
  }
  assert.throws(() => ProcessSharedBuffer.create({ name: fresh(), mode: "create" }), (error) => error instanceof OptionError);
});

const onLinux = process.platform !== "linux" && "reads /dev/shm and /proc";

test("only this user can open it, and programs that are started do not inherit it", { skip: onLinux }, () => {
  const name = fresh();
  const made = ProcessSharedBuffer.create({ name, size: 8, mode: "create" });
  assert.equal(statSync(`/dev/shm/${name}`).mode & 0o777, 0o600);
  const { stdout } = spawnSync("/bin/ls", ["-l", "/proc/self/fd"], { encoding: "utf8" });
  assert.ok(!stdout.includes(name), stdout);
  made.close();
});

test("metadata opens named memory anywhere", () => {
  const name = fresh();
  const made = ProcessSharedBuffer.create({ name, size: 64, mode: "create" });
  const part = made.subbuffer(8, 16);
  assert.deepEqual(part.toMetadata(), { type: "ProcessSharedBuffer", version: 1, size: 64, byteOffset: 8, byteLength: 16, name });
  const again = ProcessSharedBuffer.parse(part.stringify());
  assert.deepEqual([again.name, again.size, again.byteOffset, again.byteLength], [name, 64, 8, 16]);
  const { size } = made;
  assert.throws(() => ProcessSharedBuffer.fromMetadata({ ...made.toMetadata(), size: size * 2 }), coded("KNT_SHARED_BOUNDS"));
  for (const each of [made, part, again]) each.close();
});

interface Peer {
  readonly runtime: string;
  readonly command: readonly string[];
}

const modules = fileURLToPath(new URL("../../../node_modules/", import.meta.url));
const PEERS: readonly Peer[] = [
  ...["22", "24", "26"].map((version) => ({ runtime: `Node.js ${version}`, command: [`${modules}node${version}/bin/node`] })),
  { runtime: "Deno", command: [`${modules}.bin/deno`, "run", "-A"] },
  { runtime: "Bun", command: [`${modules}.bin/bun`] },
];
const peer = fileURLToPath(new URL("../fixtures/shared-peer.ts", import.meta.url));

function start([program, ...args]: readonly string[], ...more: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const child = spawn(program, [...args, peer, ...more], { env, stdio: ["ignore", "pipe", "pipe"], timeout: GUARD_MS, killSignal: "SIGKILL" });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

for (const { runtime, command } of PEERS) {
  const missing = !existsSync(command[0]) && `${command[0]} is not there`;
  test(`an unrelated process on ${runtime} shares it, sleeps in it, and is woken`, { skip: missing, timeout: 2 * GUARD_MS }, async () => {
    const name = fresh();
    const buffer = ProcessSharedBuffer.create({ name, size: 4096, mode: "create" });
    const words = buffer.view(Int32Array);
    const ended = start(command, "answer", name);
    let over = false;
    void ended.then(() => (over = true));
    // Asleep here until it is there; in slices, since this thread also watches whether it ends.
    while (buffer.wait(2, 0, 20) === "timed-out" && !over) await sleep(1);
    Atomics.store(words, 0, 21);
    buffer.notify(0);
    if (!over) buffer.wait(1, 0, GUARD_MS / 2);
    assert.equal(words[1], 42);
    const { code, out, err } = await ended;
    assert.match(out.trim(), /^(ok|not-equal)$/);
    assert.deepEqual({ code, err }, { code: 0, err: "" });

    const part = buffer.subbuffer(1000, 24);
    const parsed = await start(command, "parse", part.stringify());
    assert.deepEqual(parsed, { code: 0, out: "1000 24\n", err: "" });
    assert.deepEqual([buffer.bytes()[999], buffer.bytes()[1000], buffer.bytes()[1023], buffer.bytes()[1024]], [0, 5, 5, 0]);

    const anonymous = ProcessSharedBuffer.create(8);
    const refused = await start(command, "refused", anonymous.stringify());
    assert.deepEqual(refused, { code: 0, out: "KNT_SHARED_MEMORY_GONE\n", err: "" });
    for (const each of [buffer, part, anonymous]) each.close();
  });
}

test("a name whose memory does not fit is an error, not a crash, and leaves no name", { skip: cannotMount() }, () => {
  const own = [process.execPath, ..."Deno" in globalThis ? ["run", "-A"] : [], peer, "full", fresh()];
  const script = `mount -t tmpfs -o size=1m tmpfs /dev/shm && exec "$@"`;
  const { stdout, stderr, status, signal } = spawnSync("unshare", ["-rm", "sh", "-c", script, "sh", ...own], { encoding: "utf8" });
  assert.deepEqual({ stdout, status, signal }, { stdout: "SHM_FULL\nSHM_NAME_MISSING\n", status: 0, signal: null }, stderr);
});

/** Why no file system of a chosen size can be mounted here, or false. */
function cannotMount(): string | false {
  if (onLinux !== false) return onLinux;
  const { status } = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm"]);
  return status !== 0 && "this user cannot mount a small /dev/shm of its own";
}

test("no name is left behind", { skip: onLinux }, () => {
  for (let i = 0; i < serial; i++) {
    try {
      ProcessSharedBuffer.unlink(`${PREFIX}${i}`);
    } catch (error) {
      coded("SHM_NAME_MISSING")(error);
    }
  }
  assert.deepEqual(readdirSync("/dev/shm").filter((name) => name.startsWith(PREFIX)), []);
});
