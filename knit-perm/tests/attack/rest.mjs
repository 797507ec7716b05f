// Signals, inspectors, workers, remote modules, the environment; and what is documented to remain.
import fs from "node:fs";
import os from "node:os";
import { Worker } from "node:worker_threads";
import { once } from "node:events";

/** What a nested worker says. */
const nested = async (code, options = {}) => {
  if (runtime === "deno") {
    const worker = new globalThis.Worker(`data:text/javascript,${encodeURIComponent(`import fs from "node:fs"; try { postMessage(${code}) } catch (e) { postMessage("error " + e.message) }`)}`, { type: "module" });
    const message = await new Promise((done, fail) => {
      worker.onmessage = (event) => done(event.data);
      worker.onerror = (event) => (event.preventDefault(), fail(new Error(event.message)));
    });
    worker.terminate();
    return message;
  }
  const source = `const fs = require("node:fs"); const { parentPort } = require("node:worker_threads");
    try { parentPort.postMessage(${code}) } catch (e) { parentPort.postMessage("error " + e.message) }`;
  const worker = new Worker(source, { eval: true, ...options });
  const [message] = await once(worker, "message");
  await worker.terminate();
  return message;
};

const unlessError = (message) => (String(message).startsWith("error") ? undefined : message);

export default (attempt, { secret, parent, tcp }) => {
  attempt("signals: the host, 0", () => process.kill(parent, 0));
  attempt("signals: the host, SIGUSR1", () => process.kill(parent, "SIGURG"));
  attempt("inspector: open", async () => {
    const inspector = await import("node:inspector");
    inspector.open(0, "127.0.0.1");
    return inspector.url();
  });
  // If it arrives, the host opens its inspector, or ends: the harness tells. Bun reports no error.
  attempt("inspector: of the host", () => (process._debugProcess(parent), runtime !== "bun" && "asked"));
  attempt("workers: start one", () => nested(`"started"`));
  attempt("workers: read outside from one without flags", async () =>
    unlessError(await nested(`fs.readFileSync(${JSON.stringify(secret)}, "utf8")`, { execArgv: [] })));
  if (runtime === "deno") {
    const threaded = async (code) => {
      const source = `let said; try { said = ${code} } catch (error) { said = "error " + error.message } require("node:worker_threads").parentPort.postMessage(said)`;
      const worker = new Worker(source, { eval: true });
      const [message] = await once(worker, "message");
      await worker.terminate();
      return message;
    };
    attempt("workers: start one by node:worker_threads", () => threaded(`"started"`));
    attempt("workers: read outside by node:worker_threads", async () =>
      unlessError(await threaded(`require("node:fs").readFileSync(${JSON.stringify(secret)}, "utf8")`)));
  }
  attempt("import: over http", async () => (await import(`http://127.0.0.1:${tcp}/module.js`)).default);
  if (runtime === "deno") attempt("import: npm", async () => (await import("npm:left-pad@1.3.0")).default);
  if (runtime === "deno") attempt("import: jsr", async () => (await import("jsr:@std/assert@1")).assert);
  if (runtime === "bun") attempt("import: installed on the fly", async () => (await import("left-pad@1.3.0")).default);
  attempt("env: the host's secret", () => process.env.HOST_SECRET);
  attempt("env: the host's flags", () => process.env.NODE_OPTIONS);
  if (runtime === "deno") attempt("prompt: ask for more", async () => (await Deno.permissions.request({ name: "net" })).state === "granted");
  if (runtime === "node") attempt("internals: process.binding", () => process.binding("fs").internalModuleReadJSON?.(secret) ?? process.binding("spawn_sync").spawn({ file: "/bin/true", args: ["true"], stdio: [{ type: "ignore" }] }).pid);

  // What is documented.
  attempt("stat outside", () => fs.statSync(secret).size);
  attempt("watch outside", () => ((runtime === "deno" ? Deno.watchFs(secret) : fs.watch(secret)).close(), "watching"));
  attempt("host name", () => os.hostname());
  attempt("wasi", async () => {
    const { WASI } = await import("node:wasi");
    return typeof new WASI({ version: "preview1" });
  });
  attempt("a secret made later", () => {
    fs.writeFileSync("sub/.env", "late");
    return fs.readFileSync("sub/.env", "utf8");
  });
  attempt("a new file is readable", () => {
    fs.writeFileSync("new.txt", "new");
    return fs.readFileSync("new.txt", "utf8");
  });
  attempt("a mode in the working directory", () => (fs.chmodSync("sub/child.mjs", 0o700), (fs.statSync("sub/child.mjs").mode & 0o777) === 0o700));

  // What must go on working.
  attempt("work: read", () => fs.readFileSync("allowed.txt", "utf8"));
  attempt("work: read, promises", () => fs.promises.readFile("allowed.txt", "utf8"));
  attempt("work: list", () => fs.readdirSync(".").join(" "));
  attempt("work: write in a folder and read", () => {
    fs.mkdirSync("sub/deep");
    fs.writeFileSync("sub/deep/a", "written");
    fs.renameSync("sub/deep/a", "sub/deep/b");
    fs.copyFileSync("sub/deep/b", "sub/deep/c");
    const got = fs.readFileSync("sub/deep/c", "utf8");
    fs.rmSync("sub/deep", { recursive: true });
    return got;
  });
  attempt("work: write beside", () => (fs.writeFileSync("beside.txt", "x"), fs.existsSync("beside.txt")));
  attempt("work: import a package", async () => (await import("installed")).default);
  attempt("work: memory usage", () => process.memoryUsage().rss);
  attempt("work: cores", () => os.availableParallelism());
  attempt("work: random", async () => (await import("node:crypto")).randomBytes(8).length);
  attempt("work: timers", () => new Promise((done) => setTimeout(() => done("late"), 5)));
  attempt("work: time zone", () => new Date(0).toLocaleString("en", { timeZone: "Asia/Tokyo" }));
  attempt("work: zlib", async () => (await import("node:zlib")).gzipSync("x").length);
  attempt("work: wasm", async () => (await WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))) !== undefined);
};
