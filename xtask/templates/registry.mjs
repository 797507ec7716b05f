/**
 * A registry of one package, for installers that take nothing but a name: `node registry.mjs <archive> <name> <version>`. Prints its
 * address, and ends with its standard input.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [archive, name, version] = process.argv.slice(2);
const bytes = readFileSync(archive);
const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

const server = createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
  if (path === "/package.tgz") {
    response.writeHead(200, { "content-type": "application/octet-stream" }).end(bytes);
  } else if (path === `/${name}`) {
    const dist = { tarball: `http://localhost:${server.address().port}/package.tgz`, integrity };
    const versions = { [version]: { name, version, type: "module", dist } };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ name, "dist-tags": { latest: version }, versions }));
  } else {
    response.writeHead(404).end();
  }
});
server.listen(0, "localhost", () => console.log(`http://localhost:${server.address().port}/`));
process.stdin.on("end", () => process.exit()).resume();
