// Runs every attempt of the attack modules, as a task would, and returns for each { name, got }, where `got` is what the attacker has got, or
// { name, error } if nothing.
const PARTS = ["read", "write", "net", "run", "native", "rest"];
/** Milliseconds for an attempt. */
const PATIENCE = 5000;
/** And for one that is named in `config.silent`. */
const SILENCE = 2000;

/** `config` says what is where; see `support/field.rs`. Attempts named in `config.spare` are left out. `tell` hears of each result. */
export async function attack(config, tell = () => {}) {
  globalThis.runtime = typeof Deno !== "undefined" ? "deno" : typeof Bun !== "undefined" ? "bun" : "node";
  // An attack that is still open when the rest is done must not end the run.
  const uncaught = (error) => console.error("uncaught", error?.message ?? error);
  if (runtime === "deno") {
    globalThis.addEventListener("error", (event) => (event.preventDefault(), uncaught(event.error)));
    globalThis.addEventListener("unhandledrejection", (event) => (event.preventDefault(), uncaught(event.reason)));
  }
  process.on("uncaughtException", uncaught);
  process.on("unhandledRejection", uncaught);
  const attempts = [];
  for (const part of PARTS) {
    const module = await import(`./${part}.mjs`);
    // `action` returns what it has got, or throws.
    module.default((name, action) => attempts.push([name, action]), config);
  }
  const lines = [];
  for (const [name, action] of attempts) {
    if (config.spare?.includes(name)) continue;
    let line;
    let timer;
    try {
      const patience = config.silent?.includes(name) ? SILENCE : (config.patience ?? PATIENCE);
      const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("no answer")), patience)));
      const got = await Promise.race([action(), late]);
      line = got === undefined || got === null || got === false ? { name, error: "nothing" } : { name, got: String(got).slice(0, 200) };
    } catch (error) {
      line = { name, error: `${error?.name}: ${error?.code ?? error?.cause?.code ?? ""} ${error?.message}`.slice(0, 300) };
    }
    clearTimeout(timer);
    lines.push(line);
    tell(line);
  }
  return lines;
}
