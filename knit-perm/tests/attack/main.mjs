// Runs every attempt of the attack modules as a worker's task would, in the worker's own process, and prints one line of JSON for each:
// { name, got }, where `got` is what the attacker has got, or { name, error } if nothing.
import { readFileSync } from "node:fs";

const config = JSON.parse(readFileSync(new URL("./config.json", import.meta.url), "utf8"));
globalThis.runtime = typeof Deno !== "undefined" ? "deno" : typeof Bun !== "undefined" ? "bun" : "node";

const attempts = [];
/** An attempt. `action` returns what it has got, or throws. */
const attempt = (name, action) => attempts.push([name, action]);

for (const part of ["read", "write", "net", "run", "native", "rest"]) {
  const module = await import(`./${part}.mjs`);
  module.default(attempt, config);
}

// An attack that is still open when the rest is done must not end the run.
const uncaught = (error) => console.error("uncaught", error?.message ?? error);
if (runtime === "deno") {
  globalThis.addEventListener("error", (event) => (event.preventDefault(), uncaught(event.error)));
  globalThis.addEventListener("unhandledrejection", (event) => (event.preventDefault(), uncaught(event.reason)));
} else {
  process.on("uncaughtException", uncaught);
  process.on("unhandledRejection", uncaught);
}

for (const [name, action] of attempts) {
  if (config.spare?.includes(name)) continue;
  let line;
  let timer;
  try {
    const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("no answer")), 5000)));
    const got = await Promise.race([action(), late]);
    line = got === undefined || got === null || got === false ? { name, error: "nothing" } : { name, got: String(got).slice(0, 200) };
  } catch (error) {
    line = { name, error: `${error?.name}: ${error?.code ?? error?.cause?.code ?? ""} ${error?.message}`.slice(0, 300) };
  }
  clearTimeout(timer);
  console.log(JSON.stringify(line));
}
process.exit(0);
