/**
 * What the engine plans for a pool's workers: `knit_perm::Plan`, as far as this package reads it.
 */
import type { PermissionKey, PermissionRefusal } from "../api/permission.ts";

/** What a worker does before it loads anything of the user's. The host does the first. */
export type BootStep =
  | { readonly step: "warmSharedPool" }
  | { readonly step: "loadLibrary"; readonly path: string }
  | { readonly step: "restrictThread" }
  | { readonly step: "dropPermission"; readonly name: string }
  | { readonly step: "freezeDlopen" }
  | { readonly step: "revoke"; readonly name: string; readonly path?: string }
  | { readonly step: "guardWorkers" }
  | { readonly step: "muteConsole" };

export interface Plan {
  readonly unrestricted: boolean;
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly console: boolean;
  /** `deno.permissions` of a worker thread. */
  readonly deno?: Readonly<Record<string, unknown>>;
  readonly kernel?: object;
  readonly boot: readonly BootStep[];
  readonly read: readonly { readonly path: string; readonly names?: boolean }[];
  readonly write: readonly { readonly path: string; readonly names?: boolean }[];
  readonly keys: Readonly<
    Record<
      PermissionKey,
      {
        readonly by: readonly ("kernel" | "runtime" | "guard")[];
        readonly strength: "allowed" | "full" | "partial" | "weak";
        readonly caveats?: readonly string[];
      }
    >
  >;
  readonly weaker: readonly PermissionRefusal[];
}

/** What a worker is told of its permissions. */
export interface Restriction {
  /** The plan as text, for threads that restrict themselves. */
  readonly plan: string;
  readonly boot: readonly BootStep[];
}
