// This process, replaced by another program: nobody comes back from that, so it is no attempt among the others. What the new program gets it writes
// into a file (`replaced.mjs`).
import { createRequire } from "node:module";

/** A text as C has it: its address. What it lies in is kept. */
const kept = [];
async function addressOf(bytes) {
  kept.push(bytes);
  if (globalThis.Bun) return (await import("bun:ffi")).ptr(bytes);
  if (globalThis.Deno) return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  return (await import("node:ffi")).getRawPointer(bytes);
}

async function list(words) {
  const addresses = [];
  for (const word of words) addresses.push(BigInt(await addressOf(Buffer.from(`${word}\0`))));
  return addressOf(new BigUint64Array([...addresses, 0n]));
}

async function byForeignFunction(words, env) {
  const [path, argv, envp] = [await addressOf(Buffer.from(`${words[0]}\0`)), await list(words), await list(env)];
  if (globalThis.Bun) {
    const { dlopen } = await import("bun:ffi");
    return dlopen("libc.so.6", { execve: { args: ["ptr", "ptr", "ptr"], returns: "i32" } }).symbols.execve(path, argv, envp);
  }
  if (globalThis.Deno) {
    const of = (address) => Deno.UnsafePointer.create(BigInt(address));
    return Deno.dlopen("libc.so.6", { execve: { parameters: ["pointer", "pointer", "pointer"], result: "i32" } }).symbols.execve(of(path), of(argv), of(envp));
  }
  const { dlopen } = await import("node:ffi");
  const { functions } = dlopen("libc.so.6", { execve: { arguments: ["u64", "u64", "u64"], return: "i32" } });
  return functions.execve(BigInt(path), BigInt(argv), BigInt(envp));
}

/** Tries every way. Returns, with what stood in each one's way, only if there is none. */
export async function replace({ project, secret, tcp, addon, replaced }) {
  const run = globalThis.Deno ? ["run", "--allow-all", "--no-lock", "--cached-only"] : ["--no-warnings"];
  const words = [process.execPath, ...(globalThis.Bun ? [] : run), `${project}/replaced.mjs`, secret, String(tcp), replaced];
  const env = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  const ways = [
    () => process.execve(words[0], words, { ...process.env }),
    () => byForeignFunction(words, env),
    // An addon that does it: this package's own, though meant for its starter.
    () => {
      const { permissionPlan, processBecome } = createRequire(import.meta.url)(addon);
      const nobody = { runtime: "native", version: [0, 0], kind: "process", executable: null, package: [], modules: [], library: null, workerOptions: false, inPlace: true };
      const { plan, error } = JSON.parse(permissionPlan(JSON.stringify({ policy: "unsafe", target: nobody })));
      if (error) throw new Error(error.message);
      return processBecome(JSON.stringify(plan), words, []);
    },
  ];
  const failures = [];
  for (const way of ways) {
    try {
      failures.push(`returned ${await way()}`);
    } catch (error) {
      failures.push(`${error?.code ?? error?.name} ${error?.message}`.slice(0, 120));
    }
  }
  return failures.join("; ");
}
