// Files that may not be read: by every way to read one.
import fs from "node:fs";
import { once } from "node:events";

const text = (bytes) => Buffer.from(bytes).toString("latin1").replaceAll("\0", " ").trim();

/** Whichever of the threads that do it may. All are waited for: what they have open would be found by its number. */
const many = async (action) => {
  const results = await Promise.allSettled(Array.from({ length: 32 }, action));
  const got = results.find(({ status }) => status === "fulfilled");
  return got === undefined ? Promise.reject(results[0].reason) : got.value;
};

export default (attempt, { secret, parent }) => {
  attempt("read: sync", () => fs.readFileSync(secret, "utf8"));
  attempt("read: promises", () => fs.promises.readFile(secret, "utf8"));
  attempt("read: promises, many", () => many(() => fs.promises.readFile(secret, "utf8")));
  attempt("read: callback", () => new Promise((done, fail) => fs.readFile(secret, "utf8", (error, got) => (error ? fail(error) : done(got)))));
  attempt("read: stream", async () => {
    const stream = fs.createReadStream(secret);
    const [chunk] = await once(stream, "data");
    return text(chunk);
  });
  attempt("read: by a URL", () => fs.readFileSync(new URL(`file://${secret}`), "utf8"));
  attempt("read: by ..", () => fs.readFileSync(`./sub/../../${secret.split("/").pop()}`, "utf8"));
  attempt("read: through a link that is there", () => fs.readFileSync("link", "utf8"));
  attempt("read: through a link, promises", () => fs.promises.readFile("link", "utf8"));
  attempt("read: through a link in a folder", () => fs.readFileSync("sub/link", "utf8"));
  attempt("read: through a link in a folder, promises", () => many(() => fs.promises.readFile("sub/link", "utf8")));
  attempt("read: through a link of its own", () => {
    fs.symlinkSync(secret, "own-link");
    return fs.readFileSync("own-link", "utf8");
  });
  attempt("read: through a hard link of its own", () => {
    fs.linkSync(secret, "sub/own-hard-link");
    return fs.readFileSync("sub/own-hard-link", "utf8");
  });
  attempt("read: copied", () => {
    fs.copyFileSync(secret, "sub/copy");
    return fs.readFileSync("sub/copy", "utf8");
  });
  attempt("read: another folder with the same beginning", () => fs.readFileSync("../project-evil/file", "utf8"));
  attempt("read: /etc/passwd", () => fs.readFileSync("/etc/passwd", "utf8"));
  attempt("read: /etc/passwd, promises", () => many(() => fs.promises.readFile("/etc/passwd", "utf8")));
  attempt("read: /etc/passwd by /proc/self/root", () => fs.readFileSync("/proc/self/root/etc/passwd", "utf8"));
  attempt("read: list /", () => fs.readdirSync("/").join(" "));
  attempt("read: list the home folder", () => fs.readdirSync(`${process.env.HOME}`).join(" "));
  attempt("read: sqlite", async () => {
    const name = runtime === "bun" ? "bun:sqlite" : "node:sqlite";
    const { DatabaseSync, Database } = await import(name);
    const path = secret.replace("secret.txt", "secret.db");
    const db = DatabaseSync ? new DatabaseSync(path) : new Database(path);
    const query = "select word from words";
    return JSON.stringify(db.prepare(query).get());
  });
  attempt("read: sqlite, attached", async () => {
    const name = runtime === "bun" ? "bun:sqlite" : "node:sqlite";
    const { DatabaseSync, Database } = await import(name);
    const db = DatabaseSync ? new DatabaseSync(":memory:") : new Database(":memory:");
    db.exec(`attach '${secret.replace("secret.txt", "secret.db")}' as other`);
    return JSON.stringify(db.prepare("select word from other.words").get());
  });
  attempt("read: the project's .env", () => fs.readFileSync(".env", "utf8"));
  attempt("read: the project's .env, promises", () => fs.promises.readFile(".env", "utf8"));
  attempt("read: .env renamed", () => {
    fs.renameSync(".env.1", "plain.txt");
    return fs.readFileSync("plain.txt", "utf8");
  });
  attempt("read: .env moved", () => {
    fs.renameSync(".env.2", "sub/plain.txt");
    return fs.readFileSync("sub/plain.txt", "utf8");
  });
  attempt("read: .env by a hard link", () => {
    fs.linkSync(".env.3", "sub/hard.txt");
    return fs.readFileSync("sub/hard.txt", "utf8");
  });
  attempt("read: .env swapped with a readable file", () => {
    fs.renameSync(".env.4", "allowed-too.txt");
    return fs.readFileSync("allowed-too.txt", "utf8");
  });
  attempt("read: the folder around a .env renamed", () => {
    fs.renameSync("nested", "sub/nested");
    return fs.readFileSync("sub/nested/.env", "utf8");
  });
  attempt("read: .git/config", () => fs.readFileSync(".git/config", "utf8"));
  attempt("read: names in .git", () => fs.readdirSync(".git").join(" ") || undefined);
  attempt("read: the host's environment", () => {
    const got = fs.readFileSync(`/proc/${parent}/environ`, "utf8");
    return got.replaceAll("\0", " ");
  });
  attempt("read: the host's memory", () => {
    const maps = fs.readFileSync(`/proc/${parent}/maps`, "utf8");
    return maps.slice(0, 50);
  });
  attempt("read: open the host's memory", () => fs.openSync(`/proc/${parent}/mem`, "r"));
  attempt("read: the host's descriptors", () => fs.readdirSync(`/proc/${parent}/fd`).join(" "));
  attempt("read: the host's command line", () => fs.readFileSync(`/proc/${parent}/cmdline`, "utf8"));
  attempt("read: its own environment holds the host's secret", () => {
    const own = fs.readFileSync("/proc/self/environ", "utf8");
    return own.includes("HOST_SECRET") ? own : undefined;
  });
  attempt("read: a descriptor that the host has open", () => {
    const buffer = Buffer.alloc(100);
    for (let fd = 3; fd < 256; fd++) {
      for (const path of [fd, `/proc/self/fd/${fd}`, `/dev/fd/${fd}`]) {
        try {
          const open = typeof path === "number" ? path : fs.openSync(path, "r");
          const length = fs.readSync(open, buffer, 0, 100, 0);
          const got = text(buffer.subarray(0, length));
          if (got.includes("secret")) return `${path}: ${got}`;
        } catch {
          // The next one.
        }
      }
    }
  });
  attempt("read: a module outside", async () => (await import(secret.replace("secret.txt", "secret.mjs"))).default);
  attempt("read: JSON outside by require", async () => {
    const { createRequire } = await import("node:module");
    return JSON.stringify(createRequire(import.meta.url)(secret.replace("secret.txt", "secret.json")));
  });
  if (runtime === "deno") {
    attempt("read: Deno.readTextFile", () => Deno.readTextFile(secret));
    attempt("read: Deno.open", async () => text((await (await Deno.open(secret)).readable.getReader().read()).value));
    attempt("read: fetch of a file URL", async () => (await fetch(`file://${secret}`)).text());
  }
  if (runtime === "bun") {
    attempt("read: Bun.file", () => Bun.file(secret).text());
    attempt("read: Bun.mmap", () => text(Bun.mmap(secret)));
    attempt("read: fetch of a file URL", async () => (await fetch(`file://${secret}`)).text());
    attempt("read: Bun.Glob", () => [...new Bun.Glob("*.txt").scanSync(secret.replace("/secret.txt", ""))].join(" "));
    attempt("read: Bun.build", async () => {
      const built = await Bun.build({ entrypoints: [secret.replace("secret.txt", "secret.mjs")] });
      return built.outputs[0].text();
    });
    attempt("read: HTMLRewriter and Response over a file", () => new Response(Bun.file(secret)).text());
  }
};
