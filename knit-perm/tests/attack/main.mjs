// The attack as a worker's program: prints one line of JSON for each attempt.
import { readFileSync } from "node:fs";

import { attack } from "./all.mjs";

const config = JSON.parse(readFileSync(new URL("./config.json", import.meta.url), "utf8"));

await attack(config, (line) => console.log(JSON.stringify(line)));
process.exit(0);
