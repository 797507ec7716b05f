// Native code: loading it, and what it can do once it runs.
import { createRequire } from "node:module";
import { constants } from "node:os";

const libc = "libc.so.6";

/** The addon of `caller.c`, where it was compiled: Node.js calls native code by itself from 26 on. */
let path = null;
let loaded = null;
const caller = () => (path === null ? null : (loaded ??= createRequire(import.meta.url)(path)));

/** A function `(number, a, b, c) => result` that makes a system call, as far as this runtime lets it. */
const syscalls = async () => {
  if (runtime === "bun") {
    const { dlopen } = await import("bun:ffi");
    const loaded = dlopen(libc, { syscall: { args: ["i64", "i64", "i64", "i64", "i64"], returns: "i64" } });
    return (...args) => Number(loaded.symbols.syscall(...args.concat([0, 0, 0, 0]).slice(0, 5)));
  }
  if (runtime === "deno") {
    const loaded = Deno.dlopen(libc, { syscall: { parameters: ["i64", "i64", "i64", "i64", "i64"], result: "i64" } });
    return (...args) => Number(loaded.symbols.syscall(...args.concat([0, 0, 0, 0]).slice(0, 5).map(BigInt)));
  }
  if (caller() !== null) return (...args) => caller().syscall(...args.map(Number));
  const { dlopen } = await import("node:ffi");
  const { functions } = dlopen(libc, { syscall: { arguments: ["i64", "i64", "i64", "i64", "i64"], return: "i64" } });
  return (...args) => Number(functions.syscall(...args.concat([0, 0, 0, 0]).slice(0, 5).map(BigInt)));
};

const kept = [];
const text = async (string) => {
  const bytes = Buffer.from(`${string}\0`);
  kept.push(bytes);
  if (runtime === "bun") return (await import("bun:ffi")).ptr(bytes);
  if (caller() !== null) return caller().address(bytes);
  if (runtime === "node") return Number((await import("node:ffi")).getRawPointer(bytes));
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
};

export default (attempt, { secret, parent, outside, addon, caller: compiled }) => {
  if (runtime === "node" && Number(process.versions.node.split(".")[0]) < 26) path = compiled ?? null;
  attempt("native: load a library", async () => (await syscalls())(39) > 0 && "loaded");
  attempt("native: the host's environment", async () => {
    // A process has an environment of its own; a thread shares the host's, whatever its process.env says.
    const name = Buffer.from("HOST_SECRET\0");
    kept.push(name);
    const signature = { Bun: { args: ["ptr"], returns: "u64" }, Deno: { parameters: ["buffer"], result: "u64" }, Node: { arguments: ["u64"], return: "u64" } };
    if (runtime === "bun") {
      const { dlopen, ptr } = await import("bun:ffi");
      return BigInt(dlopen(libc, { getenv: signature.Bun }).symbols.getenv(ptr(name))) !== 0n && "there";
    }
    if (runtime === "deno") return BigInt(Deno.dlopen(libc, { getenv: signature.Deno }).symbols.getenv(name)) !== 0n && "there";
    if (caller() !== null) return caller().environment(name) !== 0 && "there";
    const { dlopen, getRawPointer } = await import("node:ffi");
    return BigInt(dlopen(libc, { getenv: signature.Node }).functions.getenv(BigInt(getRawPointer(name)))) !== 0n && "there";
  });
  attempt("native: the machine's name", async () => {
    const name = Buffer.alloc(64);
    kept.push(name);
    const result = await (async () => {
      if (caller() !== null) return caller().name(name);
      if (runtime === "bun") {
        const { dlopen, ptr } = await import("bun:ffi");
        return dlopen(libc, { gethostname: { args: ["ptr", "u64"], returns: "i32" } }).symbols.gethostname(ptr(name), 64);
      }
      if (runtime === "deno") return Deno.dlopen(libc, { gethostname: { parameters: ["buffer", "usize"], result: "i32" } }).symbols.gethostname(name, 64n);
      const { dlopen, getRawPointer } = await import("node:ffi");
      return dlopen(libc, { gethostname: { arguments: ["u64", "u64"], return: "i32" } }).functions.gethostname(BigInt(getRawPointer(name)), 64n);
    })();
    return result === 0 && String(name);
  });
  attempt("native: load an addon", () => {
    const module = { exports: {} };
    process.dlopen(module, addon, constants.dlopen?.RTLD_NOW);
    return "loaded";
  });
  attempt("native: require an addon", () => typeof createRequire(import.meta.url)(addon));
  const call = (name, action) =>
    attempt(`native: ${name}`, async () => {
      const result = await action(await syscalls());
      return result >= 0 && `returned ${result}`;
    });
  // x86-64 numbers.
  call("open outside", async (syscall) => syscall(2, await text(secret), 0));
  call("make a file outside", async (syscall) => syscall(85, await text(`${outside}/native`), 0o600));
  call("change a mode outside", async (syscall) => syscall(90, await text(`${outside}/there.txt`), 0o777));
  call("socket", async (syscall) => syscall(41, 2, 1, 0));
  call("io_uring", async (syscall) => syscall(425, 8, await text("\0".repeat(200))));
  call("fork", async (syscall) => {
    const pid = syscall(57);
    if (pid === 0) syscall(60, 0);
    return pid;
  });
  call("signal the host", async (syscall) => syscall(62, parent, 0));
  call("trace the host", async (syscall) => syscall(101, 16, parent));
  call("limits of the host", async (syscall) => syscall(302, parent, 7, 0, await text("\0".repeat(16))));
  call("unshare", async (syscall) => syscall(272, 0x200));
};
