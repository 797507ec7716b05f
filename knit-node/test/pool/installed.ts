/**
 * The package as it is installed, for programs that are run with it.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const FLAGS = "Deno" in globalThis ? ["run", "--allow-all", "--no-check"] : [];

/** Installs the package in an empty folder, beside these files, and runs one of them. Returns what it printed, read as JSON. */
export async function runInstalled(files: Readonly<Record<string, string>>, program: string, flags: readonly string[] = []): Promise<unknown> {
  const home = mkdtempSync(join(tmpdir(), "knit-installed-"));
  try {
    const place = join(home, "node_modules/@vixeny/knitting");
    mkdirSync(place, { recursive: true });
    for (const part of ["package.json", "dist"]) cpSync(join(PACKAGE, part), join(place, part), { recursive: true });
    symlinkSync(join(PACKAGE, "lib"), join(place, "lib"));
    const all = { "package.json": JSON.stringify({ type: "module", dependencies: { "@vixeny/knitting": "*" } }), ...files };
    for (const [name, text] of Object.entries(all)) {
      mkdirSync(dirname(join(home, name)), { recursive: true });
      writeFileSync(join(home, name), text);
    }
    const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, ...flags, join(home, program)], { cwd: dirname(join(home, program)) });
    return JSON.parse(stdout);
  } finally {
    rmSync(home, { recursive: true });
  }
}
