/**
 * Entry of a process that stands between a command prefix (`bwrap`, `nice`, a container) and a worker: it puts the sandbox on itself, and becomes the worker.
 *
 * Also where the memory is named and there is no prefix: the worker may not connect to a name. The prefix may need what the worker may not have, and may show another
 * file system. So the permissions are planned here, from the same policy. The
 * environment is what the prefix has made of the worker's.
 */
import { engine } from "../runtime/engine.ts";
import { WORKER_WORD } from "../runtime/role.ts";
import type { Plan } from "../runtime/plan.ts";
import type { StarterOrder } from "../runtime/runtime.ts";

interface Request {
  readonly policy: unknown;
  readonly target: { readonly executable: string | null };
}

try {
  const { request, command, run, flags, script } = JSON.parse(process.argv[2] ?? "") as StarterOrder;
  const { policy, target } = JSON.parse(request) as Request;
  const executable = command === null ? process.execPath : target.executable;
  const native = engine();
  const { plan, error } = JSON.parse(native.permissionPlan(JSON.stringify({ policy, target: { ...target, executable } }))) as { plan?: Plan; error?: { message: string } };
  if (plan === undefined) throw new Error(`behind worker.processCommandPrefix permissions cannot be had: ${error?.message}`);
  native.processBecome(JSON.stringify(plan), command ?? [process.execPath, ...run, ...flags, ...plan.flags, script, WORKER_WORD], []);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
