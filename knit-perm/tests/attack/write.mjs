// Changes outside of what may be written.
import fs from "node:fs";

export default (attempt, { outside, parent, readable, log }) => {
  const there = `${outside}/there.txt`;
  let count = 0;
  /** A new path outside. */
  const target = () => `${outside}/written-${++count}`;
  attempt("write: sync", () => (fs.writeFileSync(target(), "x"), "no error"));
  attempt("write: promises", async () => (await fs.promises.writeFile(target(), "x"), "no error"));
  attempt("write: append", () => (fs.appendFileSync(there, "x"), "no error"));
  attempt("write: append, promises", async () => (await fs.promises.appendFile(there, "x"), "no error"));
  attempt("write: stream", () => new Promise((done, fail) => fs.createWriteStream(there).on("error", fail).on("finish", () => done("no error")).end("x")));
  attempt("write: truncate", () => (fs.truncateSync(there, 0), "no error"));
  attempt("write: make a folder", () => (fs.mkdirSync(`${outside}/folder`), "no error"));
  attempt("write: temporary folder", () => fs.mkdtempSync(`${outside}/tmp-`));
  attempt("write: remove", () => (fs.unlinkSync(`${outside}/removed.txt`), "no error"));
  attempt("write: rename", () => (fs.renameSync(`${outside}/renamed.txt`, target()), "no error"));
  attempt("write: move out", () => (fs.renameSync("sub/moved", target()), "no error"));
  attempt("write: copy out", () => (fs.copyFileSync("allowed.txt", target()), "no error"));
  attempt("write: link out", () => (fs.linkSync("allowed.txt", target()), "no error"));
  attempt("write: symbolic link out", () => (fs.symlinkSync("/x", target()), "no error"));
  attempt("write: through a link of its own", () => {
    fs.symlinkSync(there, "sub/way-out");
    fs.writeFileSync("sub/way-out", "x");
    return "no error";
  });
  attempt("write: mode", () => (fs.chmodSync(there, 0o777), "no error"));
  attempt("write: mode, promises", async () => (await fs.promises.chmod(there, 0o777), "no error"));
  attempt("write: mode of an open file", () => {
    const fd = fs.openSync(readable, "r");
    const before = fs.fstatSync(fd).mode;
    fs.fchmodSync(fd, 0o777);
    const mode = fs.fstatSync(fd).mode;
    fs.closeSync(fd);
    return mode !== before && `mode ${mode.toString(8)}`;
  });
  attempt("write: owner", () => (fs.chownSync(there, 1, 1), "no error"));
  attempt("write: times", () => (fs.utimesSync(there, 1, 1), "no error"));
  attempt("write: times of an open file", () => {
    const fd = fs.openSync(readable, "r");
    fs.futimesSync(fd, 1, 1);
    return fs.fstatSync(fd).mtimeMs === 1000;
  });
  // A host that has a file open for writing says which: other descriptors may be what this process itself lives by.
  if (log !== undefined) {
    attempt("write: to a file that the host has open", () => {
      const { ino, dev } = log;
      for (let fd = 3; fd < 256; fd++) {
        try {
          const open = fs.fstatSync(fd);
          if (open.ino === ino && open.dev === dev) return fs.writeSync(fd, "x") === 1 && `descriptor ${fd}`;
        } catch {
          // The next one.
        }
      }
    });
  }
  attempt("write: the host's memory", () => fs.openSync(`/proc/${parent}/mem`, "r+"));
  attempt("write: the host's settings", () => (fs.writeFileSync(`/proc/${parent}/oom_score_adj`, "1000"), "no error"));
  attempt("write: the host's name", () => (fs.writeFileSync(`/proc/${parent}/comm`, "hacked"), "no error"));
  attempt("write: a kernel setting", () => (fs.writeFileSync("/proc/sys/kernel/hostname", "hacked"), "no error"));
  attempt("write: sqlite", async () => {
    const { DatabaseSync, Database } = await import(runtime === "bun" ? "bun:sqlite" : "node:sqlite");
    const db = DatabaseSync ? new DatabaseSync(target()) : new Database(target());
    db.exec("create table t(x)");
    return "no error";
  });
  if (runtime === "deno") attempt("write: Deno.writeTextFile", async () => (await Deno.writeTextFile(target(), "x"), "no error"));
  if (runtime === "bun") attempt("write: Bun.write", async () => (await Bun.write(target(), "x"), "no error"));
  if (runtime === "node") attempt("write: a report", () => process.report.writeReport(target()));
  if (runtime === "node") attempt("write: a heap snapshot", async () => (await import("node:v8")).writeHeapSnapshot(target()));
};
