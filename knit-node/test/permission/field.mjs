// A machine to attack, as a program of Node.js: a project to work in, around it what must not be reached, and listeners that count who comes.
// It prints what an attacker is told, as one line of JSON. When its input ends it prints what it has seen, and removes everything.
import { spawnSync } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SECRET = "the secret of the host";
const repository = fileURLToPath(new URL("../../..", import.meta.url));
const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "knit-field-")));
const project = join(root, "project");

const files = {
  "secret.txt": SECRET,
  "secret.mjs": `export default '${SECRET}'`,
  "secret.json": '{"secret":1}',
  "outside/there.txt": "there",
  "outside/removed.txt": "",
  "outside/renamed.txt": "",
  "project-evil/file": SECRET,
  "home/.ssh/id": SECRET,
  "package/index.js": "",
  "project/package.json": '{"type":"module"}',
  "project/allowed.txt": "allowed",
  "project/allowed-too.txt": "allowed",
  "project/.env": SECRET,
  "project/.env.1": SECRET,
  "project/.env.2": SECRET,
  "project/.env.3": SECRET,
  "project/.env.4": SECRET,
  "project/.git/config": SECRET,
  "project/.npmrc": `# ${SECRET}`,
  "project/nested/.env": SECRET,
  "project/nested/open": "open",
  "project/sub/file": "file",
  "project/sub/moved": "",
  "project/sub/child.mjs": "process.exit(0)",
  "project/node_modules/installed/package.json": '{"type":"module","main":"index.js"}',
  "project/node_modules/installed/index.js": "export default 'installed'",
};
for (const [path, text] of Object.entries(files)) {
  fs.mkdirSync(dirname(join(root, path)), { recursive: true });
  fs.writeFileSync(join(root, path), text);
}
for (const link of ["link", "sub/link"]) fs.symlinkSync(join(root, "secret.txt"), join(project, link));
const attack = join(repository, "knit-perm/tests/attack");
for (const name of fs.readdirSync(attack)) fs.copyFileSync(join(attack, name), join(project, name));
const addon = join(repository, `knit-node/lib/knit-node.${process.platform}-${process.arch}.node`);
if (fs.existsSync(addon)) fs.copyFileSync(addon, join(project, "addon.node"));
const caller = join(project, "caller.node");
const compiled = spawnSync("cc", ["-shared", "-fPIC", "-Wall", "-Werror", "-o", caller, join(attack, "caller.c")], { stdio: ["ignore", "inherit", "inherit"] });
if (compiled.status !== 0) throw new Error("the attacker's addon was not compiled", { cause: compiled.error });
const node = join(repository, "node_modules/node24/bin/node");
const database = "const db = new (require('node:sqlite').DatabaseSync)('secret.db'); db.exec(\"create table words(word); insert into words values('secret')\")";
spawnSync(node, ["--no-warnings", "-e", database], { cwd: root });

const arrived = [];
const udp = dgram.createSocket("udp4").on("message", () => arrived.push("a datagram"));
udp.bind(0, "127.0.0.1");
await once(udp, "listening");

async function listen(what, ...where) {
  const server = http.createServer((_, response) => response.writeHead(200, { "content-type": "text/javascript" }).end("export default 'remote'"));
  server.on("connection", () => arrived.push(what));
  server.listen(...where);
  await once(server, "listening");
  return server;
}
const tcp = (await listen("over TCP", 0, "127.0.0.1")).address().port;
await listen("over TCP, IPv6", tcp, "::1").catch(() => {});
await listen("over a UNIX socket", join(root, "unix"));
await listen("over an abstract UNIX socket", `\0knit-perm-${tcp}`);

const config = {
  secret: join(root, "secret.txt"),
  outside: join(root, "outside"),
  readable: join(root, "package/index.js"),
  home: join(root, "home"),
  project,
  tcp,
  udp: udp.address().port,
  unix: join(root, "unix"),
  abstract: `knit-perm-${tcp}`,
  program: "/bin/true",
  addon: join(project, "addon.node"),
  caller,
};
console.log(JSON.stringify(config));

process.stdin.resume();
await once(process.stdin, "end");
const there = fs.statSync(join(root, "outside/there.txt"));
const touched = {
  names: fs.readdirSync(join(root, "outside")).sort().join(" ") !== "removed.txt renamed.txt there.txt",
  text: fs.readFileSync(join(root, "outside/there.txt"), "utf8") !== "there",
  mode: (there.mode & 0o777) === 0o777 || (fs.statSync(join(root, "package/index.js")).mode & 0o777) === 0o777,
  times: there.mtimeMs <= 1000,
  owner: there.uid === 1,
};
console.log(JSON.stringify({ arrived, touched: Object.keys(touched).filter((what) => touched[what]) }));
fs.rmSync(root, { recursive: true, force: true });
process.exit(0);
