// Programs, by every way to start one.
import child from "node:child_process";
import fs from "node:fs";
import cluster from "node:cluster";
import { once } from "node:events";

const ended = async (started) => {
  const [code, signal] = await once(started, "exit");
  if (code !== 0) throw new Error(`ended with ${code ?? signal}`);
  return "ran";
};

export default (attempt, { program }) => {
  attempt("run: spawn", () => ended(child.spawn(program)));
  attempt("run: spawnSync", () => {
    const { status, error } = child.spawnSync(program);
    if (error) throw error;
    return status === 0 && "ran";
  });
  attempt("run: exec", () => new Promise((done, fail) => child.exec(program, (error) => (error ? fail(error) : done("ran")))));
  attempt("run: execSync", () => (child.execSync(program), "ran"));
  attempt("run: execFileSync", () => (child.execFileSync(program), "ran"));
  attempt("run: a shell", () => (child.execFileSync("/bin/sh", ["-c", "true"]), "ran"));
  attempt("run: itself", () => (child.execFileSync(process.execPath, ["--version"]), "ran"));
  attempt("run: through the loader", () => (child.execFileSync("/lib64/ld-linux-x86-64.so.2", [program]), "ran"));
  attempt("run: detached", () => ended(child.spawn(program, { detached: true, stdio: "ignore" })));
  attempt("run: fork", async () => ended(child.fork("sub/child.mjs")));
  if (runtime === "node") {
    attempt("run: cluster", async () => {
      cluster.setupPrimary({ exec: "sub/child.mjs" });
      return ended(cluster.fork().process);
    });
  }
  if (runtime === "deno") {
    attempt("run: Deno.Command", async () => (await new Deno.Command(program).output()).success && "ran");
    attempt("run: Deno.Command, sync", () => new Deno.Command(program).outputSync().success && "ran");
  }
  if (runtime === "bun") {
    attempt("run: Bun.spawn", async () => (await Bun.spawn([program]).exited) === 0 && "ran");
    attempt("run: Bun.spawnSync", () => Bun.spawnSync([program]).success && "ran");
    // A bundle's macros run on the bundler's threads, which are the whole process's.
    attempt("run: a macro of Bun.build", async () => {
      const macro = `export const start = () => (Bun.spawnSync([${JSON.stringify(program)}]).success ? "macro ran" : "");`;
      fs.writeFileSync("sub/macro.ts", macro);
      fs.writeFileSync("sub/bundled.ts", `import { start } from "./macro.ts" with { type: "macro" }; console.log(start());`);
      const built = await Bun.build({ entrypoints: ["sub/bundled.ts"] });
      return /macro ran/.test(await built.outputs[0].text()) && "ran";
    });
    attempt("run: Bun.$, a program", async () => (await Bun.$`${program}`.quiet()).exitCode === 0 && "ran");
  }
};
