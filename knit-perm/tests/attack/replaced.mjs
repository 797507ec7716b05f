// What a worker replaced itself by: a program that is none of the pool's. Writes what it gets, as JSON, and ends.
import fs from "node:fs";
import net from "node:net";

const [secret, tcp, out] = process.argv.slice(2);

const attempt = (action) => {
  try {
    return String(action());
  } catch {
    return null;
  }
};
const connected = await new Promise((done) => {
  net.connect(Number(tcp), "127.0.0.1").on("connect", () => done("connected")).on("error", () => done(null));
});
const got = {
  "read outside": attempt(() => fs.readFileSync(secret, "utf8")),
  "read .env": attempt(() => fs.readFileSync(".env", "utf8") || undefined.nothing),
  "write outside": attempt(() => (fs.writeFileSync(`${secret}.written`, "x"), "written")),
  connect: connected,
  "the host's secret": process.env.HOST_SECRET ?? null,
};
// Whole, or not there: somebody waits for it.
fs.writeFileSync(`${out}.part`, JSON.stringify(got));
fs.renameSync(`${out}.part`, out);
process.exit(0);
