/**
 * The permissions of a pool: planned before anything is started, told to its workers, and looked up when a call fails.
 *
 * The plan is the engine's (`knit-perm`). It costs some milliseconds (files are looked for), so that of the same policy for the same project is made once
 * a process. What the user asked for and cannot be had is an error here. What only the default promises is reported: by `report`, and once a
 * process on standard error.
 */
import { KnitError, OptionError, PermissionDeniedError, PermissionUnenforceableError } from "../api/errors.ts";
import type { PermissionEnforcer, PermissionKey, PermissionOutcome, PermissionRefusal, PermissionReport, Policy } from "../api/permission.ts";
import type { PermissionNative } from "../runtime/native.ts";
import type { Plan, Restriction } from "../runtime/plan.ts";
import { workingFolder } from "../runtime/system.ts";
import { advice } from "./limits.ts";

/** For whom a plan is made: `knit_perm::Target`. */
export interface Target {
  readonly runtime: "node" | "deno" | "bun" | "native";
  readonly version: readonly [number, number];
  readonly kind: "thread" | "process";
  readonly executable: string | null;
  readonly package: readonly string[];
  readonly modules: readonly string[];
  readonly library: string | null;
  readonly workerOptions: boolean;
  /** A starter behind a command prefix restricts itself and becomes the worker. */
  readonly inPlace: boolean;
}

interface Answer {
  readonly plan?: Plan;
  readonly caveats?: Readonly<Record<string, string>>;
  readonly error?: { readonly name: string; readonly code: string; readonly message: string; readonly refusals?: readonly PermissionRefusal[] };
}

const KEYS: readonly PermissionKey[] = ["read", "write", "net", "env", "run", "ffi", "import", "workers", "sys", "wasi", "console", "signals"];

export class Permissions {
  readonly report: PermissionReport;
  /** Null: nothing is applied. */
  readonly plan: Plan | null;
  /** The plan as text. */
  readonly text: string;
  /** The policy and the target as text, for a starter that must plan where it is. */
  readonly request: string;
  readonly #native: PermissionNative;

  constructor(native: PermissionNative, policy: Policy, targetOf: () => Target, env: Readonly<Record<string, string | undefined>> | undefined, inlined: boolean) {
    this.#native = native;
    const target = policy === "unsafe" ? null : targetOf();
    const asked = policy !== "unsafe" && Object.keys(policy).some((key) => key !== "onWeaker");
    this.request = JSON.stringify({ policy, target });
    const { plan, caveats = {}, error } = target === null ? ({} as Answer) : planOnce(native, policy, target, env);
    // What cannot be looked up (too many open files, say) may be enforced the next time: running without it is no answer to that.
    if (error !== undefined && (asked || NOT_READ.has(error.code))) throw refused(error);
    const weaker: PermissionRefusal[] = error === undefined ? [...(plan?.weaker ?? [])] : [unplanned(error.message, target?.runtime ?? "")];
    if (inlined && plan !== undefined) {
      if (asked && (policy as { onWeaker?: unknown }).onWeaker !== "warn") throw new PermissionUnenforceableError(sentence(INLINED), [INLINED]);
      weaker.push(INLINED);
    }
    this.plan = plan ?? null;
    this.text = plan === undefined ? "" : JSON.stringify(plan);
    const outcomes = KEYS.map((key) => [key, outcome(plan?.keys[key], caveats)]);
    this.report = {
      mode: policy === "unsafe" ? "unsafe" : "strict",
      keys: Object.fromEntries(outcomes) as Record<PermissionKey, PermissionOutcome>,
      weaker,
      read: plan?.read ?? [{ path: "/" }],
      write: plan?.write ?? [{ path: "/" }],
    };
    if (weaker.length > 0) warnOnce(weaker, asked);
  }

  /** What the workers are told; null if they have nothing to do. */
  get restriction(): Restriction | null {
    return this.plan === null ? null : { plan: this.text, boot: this.plan.boot };
  }

  /** What a call rejects with for what a task threw: that, unless the policy is the cause of it. */
  readonly explain = (thrown: unknown): unknown => {
    if (this.plan === null) return thrown;
    for (const failure of failures(thrown)) {
      const { denial } = JSON.parse(this.#native.permissionDenial(`{"plan":${this.text},"failure":${JSON.stringify(failure)}}`)) as {
        denial?: { readonly permission: string; readonly resource: string; readonly mechanism: Exclude<PermissionEnforcer, "nobody"> } | null;
      };
      if (denial != null) return new PermissionDeniedError(denial.permission, denial.resource, denial.mechanism, thrown);
    }
    return thrown;
  };
}

/** Where relative paths begin. Deno may not tell: then it does not change either. */
function folder(): string {
  try {
    return workingFolder();
  } catch {
    return "";
  }
}

/** Plans by request. */
const plans = new Map<string, Answer>();
const MOST_PLANS = 64;

function planOnce(native: PermissionNative, policy: Policy, target: Target, env: Readonly<Record<string, string | undefined>> | undefined): Answer {
  const request = JSON.stringify({ policy, target, env: env === undefined ? undefined : inOrder(env) });
  const key = `${folder()}\0${request}`;
  const known = plans.get(key);
  if (known !== undefined) return known;
  const answer = JSON.parse(native.permissionPlan(request)) as Answer;
  // What is wrong now may be put right.
  if (answer.plan === undefined) return answer;
  if (plans.size >= MOST_PLANS) plans.clear();
  plans.set(key, answer);
  return answer;
}

/** Deno tells the variables in another order each time, and then no plan would be known. */
function inOrder(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.keys(env).sort().map((name) => [name, env[name]]));
}

/** Codes of plans that failed at the system, not at what a runtime or a kernel can do. */
const NOT_READ: ReadonlySet<string> = new Set(["KNT_PERMISSION_UNREADABLE", "KNT_PERMISSION_PROGRAM"]);

function refused({ name, code, message, refusals = [] }: NonNullable<Answer["error"]>): KnitError {
  if (NOT_READ.has(code)) return new KnitError(code, `createPool: ${message}${advice(message)}`);
  if (name === "PermissionUnenforceableError") return new PermissionUnenforceableError(message, refusals);
  return new OptionError(`createPool: ${message}`);
}

function unplanned(message: string, runtime: string): PermissionRefusal {
  return { key: "mode", runtime, reason: message, wayOut: "Put that right" };
}

const INLINED: PermissionRefusal = {
  key: "mode",
  runtime: "the host",
  reason: "with `inliner` the host runs tasks itself, and nothing holds them there",
  wayOut: 'Leave `inliner` out, or take less with onWeaker: "warn"',
};

function sentence({ key, runtime, reason, wayOut }: PermissionRefusal): string {
  return `permission.${key} on ${runtime}: ${reason}. ${wayOut}`;
}

function outcome(planned: Plan["keys"][PermissionKey] | undefined, texts: Readonly<Record<string, string>>): PermissionOutcome {
  if (planned === undefined) return { by: ["nobody"], strength: "allowed", caveats: [] };
  const caveats = (planned.caveats ?? []).map((id) => ({ id, text: texts[id] ?? id }));
  return { by: planned.by.length === 0 ? ["nobody"] : planned.by, strength: planned.strength, caveats };
}

const told = new Set<string>();

/** One line a process for each reason. */
function warnOnce(weaker: readonly PermissionRefusal[], asked: boolean): void {
  const byReason = new Map<string, string[]>();
  for (const { key, runtime, reason } of weaker) {
    const line = `${runtime}: ${reason}`;
    byReason.set(line, [...(byReason.get(line) ?? []), key]);
  }
  const lines = Array.from(byReason, ([line, keys]) => `${keys.join(", ")} on ${line}`).filter((line) => !told.has(line));
  if (lines.length === 0) return;
  for (const line of lines) told.add(line);
  const what = asked ? "permission: less is enforced than was asked for" : "permission: the default is not enforced in full";
  console.warn(`knitting: ${what}: ${lines.join("; ")}. See pool.permissions(); ${weaker[0].wayOut}, or permission: "unsafe"`);
}

/** What the engine must know of an error; also of those that it was made of. */
interface Failure {
  readonly name: string;
  readonly code: string;
  readonly syscall: string;
  readonly permission: string;
  readonly resource: string;
  readonly message: string;
}

/** Node's names of permissions by the flags that its messages advise, for errors that have come without them. */
const BY_FLAG: Readonly<Record<string, string>> = {
  "fs-write": "FileSystemWrite",
  "child-process": "ChildProcess",
  worker: "WorkerThreads",
  wasi: "WASI",
  net: "Net",
  addons: "Addon",
  ffi: "FFI",
};

function flagged(message: string): string {
  return BY_FLAG[/ Use --allow-([a-z-]+) /.exec(message)?.[1] ?? ""] ?? "";
}

/** Errors within errors that are looked at. */
const MOST_CAUSES = 8;

function failures(thrown: unknown): Failure[] {
  const found: Failure[] = [];
  const left: unknown[] = [thrown];
  while (left.length > 0 && found.length < MOST_CAUSES) {
    const error = left.shift();
    if (!(error instanceof Error)) continue;
    const { code, syscall, permission, resource, path, address, port, hostname, errors } = error as Error & Record<string, unknown>;
    const text = (value: unknown): string => (typeof value === "string" ? value : "");
    // The engine's own word for what the system refuses; named memory is files there.
    if (code === "SHM_OS" && /\(os error (1|13)\)/.test(error.message)) {
      found.push({ name: error.name, code: "EACCES", syscall: "", permission: "", resource: "/dev/shm", message: error.message });
      continue;
    }
    const place = typeof address === "string" && typeof port === "number" ? `${address}:${port}` : text(address) || text(hostname);
    found.push({
      name: error.name,
      code: text(code),
      syscall: text(syscall),
      permission: text(permission) || flagged(error.message),
      resource: text(resource) || text(path) || place,
      message: error.message,
    });
    left.push(error.cause, ...(Array.isArray(errors) ? (errors as unknown[]) : []));
  }
  return found;
}
