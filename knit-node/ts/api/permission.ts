/**
 * The option `permission`: its type, and the check of its form.
 *
 * What the keys mean, whether paths are there, and who can enforce what, is the engine's to say (`knit-perm`), when a pool is made.
 */
import { checkOptions, oneOf, show } from "./check.ts";
import { OptionError } from "./errors.ts";

/** Everything, nothing, or a list. */
export type PermissionScope<T = string> = boolean | readonly T[];

export interface PermissionOptions {
  /** `"unsafe"` applies nothing at all. `"strict"`, said on purpose, must hold for files, network, environment and programs, or is refused. */
  readonly mode?: "strict" | "unsafe";
  /** What happens if a key cannot be enforced as asked: the pool is refused (unless given), or what can be enforced is and the rest is reported. */
  readonly onWeaker?: "refuse" | "warn";
  /** Whether tasks may import their project, its workspace, and what is installed for them: true unless given. */
  readonly allowImport?: boolean;
  /** Paths that may be read; the working directory unless given. */
  readonly read?: PermissionScope<string | URL>;
  /** Paths that may be written, made and removed; the working directory unless given. */
  readonly write?: PermissionScope<string | URL>;
  /** Paths that may not be read; the usual secrets are among them unless this is false. */
  readonly denyRead?: PermissionScope<string | URL>;
  readonly denyWrite?: PermissionScope<string | URL>;
  /** `host`, `host:port` or `:port`. */
  readonly net?: PermissionScope;
  readonly denyNet?: PermissionScope;
  /** Names of variables (`LC_*`), or more exactly. */
  readonly env?:
    | PermissionScope
    | {
        readonly allow?: PermissionScope;
        readonly deny?: readonly string[];
        /** Files of `NAME=value` lines whose variables are added. */
        readonly files?: readonly (string | URL)[];
      };
  /** Commands that tasks may start. */
  readonly run?: PermissionScope;
  readonly denyRun?: PermissionScope;
  /** Whether tasks may start workers of their own. */
  readonly workers?: boolean;
  /** Native addons and foreign functions. */
  readonly ffi?: PermissionScope<string | URL>;
  /** Facts about the machine, by Deno's names. */
  readonly sys?: PermissionScope;
  readonly wasi?: boolean;
  /** Whether what tasks print is shown: true unless given. */
  readonly console?: boolean;
  /** Where relative paths begin and worker processes start. */
  readonly cwd?: string | URL;
  /** Only for Node.js. */
  readonly node?: { readonly flags?: readonly string[] };
  /** Only for Deno. */
  readonly deno?: { readonly flags?: readonly string[] };
}

export type Permission = "strict" | "unsafe" | PermissionOptions;

/** A policy as the engine reads it; `"unsafe"`: nothing is applied. */
export type Policy = "unsafe" | Readonly<Record<string, unknown>>;

const SCOPES = ["read", "write", "denyRead", "denyWrite", "net", "denyNet", "run", "denyRun", "ffi", "sys"] as const;
const SWITCHES = ["allowImport", "workers", "wasi", "console"] as const;
const KEYS: readonly string[] = ["mode", "onWeaker", "env", "cwd", "node", "deno", ...SCOPES, ...SWITCHES];

/** Checks the form of a `permission`. */
export function policyOf(given: unknown): Policy {
  if (given === undefined) return {};
  if (typeof given === "string") return oneOf("createPool: permission", given, "strict", ["strict", "unsafe"]) === "unsafe" ? "unsafe" : { mode: "strict" };
  checkOptions("createPool: permission", given, KEYS);
  const options = given as PermissionOptions;
  if (oneOf("createPool: permission.mode", options.mode, "strict", ["strict", "unsafe"]) === "unsafe") return alone(options);
  const policy: Record<string, unknown> = {};
  if (options.mode !== undefined) policy["mode"] = options.mode;
  if (options.onWeaker !== undefined) policy["onWeaker"] = oneOf("createPool: permission.onWeaker", options.onWeaker, "refuse", ["refuse", "warn"]);
  for (const key of SCOPES) if (options[key] !== undefined) policy[key] = scope(key, options[key]);
  for (const key of SWITCHES) {
    const value: unknown = options[key];
    if (value === undefined) continue;
    if (typeof value !== "boolean") throw new OptionError(`createPool: permission.${key} must be true or false, not ${show(value)}`);
    policy[key] = value;
  }
  if (options.env !== undefined) policy["env"] = env(options.env);
  if (options.cwd !== undefined) [policy["cwd"]] = list("cwd", [options.cwd]);
  for (const key of ["node", "deno"] as const) {
    const value = options[key];
    if (value === undefined) continue;
    checkOptions(`createPool: permission.${key}`, value, ["flags"]);
    policy[key] = { flags: list(`${key}.flags`, value.flags ?? []) };
  }
  return policy;
}

/** Keys beside `"unsafe"` would be dead letters. */
function alone(options: PermissionOptions): "unsafe" {
  const [other] = Object.keys(options).filter((key) => key !== "mode" && options[key as keyof PermissionOptions] !== undefined);
  if (other === undefined) return "unsafe";
  throw new OptionError(`createPool: permission.${other} has no meaning with mode: "unsafe", which applies nothing: leave one of them out`);
}

function scope(key: string, given: unknown): boolean | readonly string[] {
  return typeof given === "boolean" ? given : list(key, given);
}

function list(key: string, given: unknown): readonly string[] {
  const fail = (): never => {
    throw new OptionError(`createPool: permission.${key} must be ${/\.|cwd/.test(key) ? "" : "true, false or "}a list of strings, not ${show(given)}`);
  };
  if (!Array.isArray(given)) return fail();
  return given.map((item: unknown) => (typeof item === "string" ? item : item instanceof URL ? item.href : fail()));
}

function env(given: unknown): unknown {
  if (typeof given === "boolean" || Array.isArray(given)) return scope("env", given);
  checkOptions("createPool: permission.env", given, ["allow", "deny", "files"]);
  const { allow, deny, files } = given as { allow?: unknown; deny?: unknown; files?: unknown };
  return {
    ...(allow === undefined ? {} : { allow: scope("env.allow", allow) }),
    ...(deny === undefined ? {} : { deny: list("env.deny", deny) }),
    ...(files === undefined ? {} : { files: list("env.files", files) }),
  };
}

/** A subject of the report. */
export type PermissionKey = "read" | "write" | "net" | "env" | "run" | "ffi" | "import" | "workers" | "sys" | "wasi" | "console" | "signals";

/** Who stops a violation: the kernel (native code, too), the runtime (JavaScript only), a check of this package in the worker, or nobody. */
export type PermissionEnforcer = "kernel" | "runtime" | "guard" | "nobody";

/** What is said of one subject. */
export interface PermissionOutcome {
  readonly by: readonly PermissionEnforcer[];
  /** `allowed`: nothing is to be enforced. `full`: as asked. `partial`: but for the caveats. `weak`: ordinary code gets round it. */
  readonly strength: "allowed" | "full" | "partial" | "weak";
  /** What remains possible. */
  readonly caveats: readonly { readonly id: string; readonly text: string }[];
}

/** Something that is not enforced as it should be. */
export interface PermissionRefusal {
  readonly key: string;
  readonly runtime: string;
  readonly reason: string;
  readonly wayOut: string;
}

/** What `pool.permissions()` returns. */
export interface PermissionReport {
  readonly mode: "strict" | "unsafe";
  /** Who enforces what, key by key. */
  readonly keys: Readonly<Record<PermissionKey, PermissionOutcome>>;
  /** What is weaker than the default promises, or than was asked for with `onWeaker: "warn"`. */
  readonly weaker: readonly PermissionRefusal[];
  /** Folders and files that may be read, and written: `names` of a folder alone. */
  readonly read: readonly { readonly path: string; readonly names?: boolean }[];
  readonly write: readonly { readonly path: string; readonly names?: boolean }[];
}
