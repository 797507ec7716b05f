/**
 * The C interface (`knit-ffi/include/knit.h`) as far as the package calls it: the signature of each function, by groups that are opened when one of
 * them is first needed, since opening costs up to 0.1 ms a function.
 *
 * A signature is one letter for each argument: `i` 32 bits, signed or not, passed as a signed number; `p` a typed array, or null; `z` a `size_t`, passed
 * as a number; `a` an address, passed as a number. All functions return an `int32_t`.
 *
 * `test/runtime/abi.test.ts` compares this with the header.
 */

/** Signatures by name. */
export type Signatures = Readonly<Record<string, string>>;

/** What each thread does first. */
export const COMMON = {
  knit_thread_owns: "",
} as const;

/** The last error of a thread. */
export const ERRORS = {
  knit_last_error: "pz",
  knit_last_error_code: "pz",
} as const;

/** A host's start and its turns. */
export const HOST = {
  knit_options_default: "p",
  knit_host_create: "pp",
  knit_host_token: "ip",
  knit_host_memory: "iip",
  knit_host_outbox: "iip",
  knit_host_turn: "iii",
  knit_host_arm: "i",
  knit_host_begin: "iip",
} as const;

/** What else a host does, and its end. */
export const HOST_REST = {
  knit_host_submit: "ii",
  knit_host_stop: "ii",
  knit_host_rouse: "i",
  knit_host_retire: "ii",
  knit_host_retired: "ipz",
  knit_host_evacuate: "ii",
  knit_host_measure: "i",
  knit_host_close: "i",
} as const;

/** Calls that end before their answer, and figures. */
export const CONTROL = {
  knit_host_take_abort: "i",
  knit_host_abort: "iii",
  knit_host_release_abort: "iii",
  knit_host_deadline: "iiii",
  knit_host_cancel_deadline: "ii",
  knit_host_next_deadline: "i",
  knit_host_expire: "i",
  knit_host_cancel: "iii",
  knit_host_queued: "i",
  knit_host_running: "ii",
  knit_host_turns: "iip",
  knit_host_nudge: "ii",
} as const;

/** A host's blocks. */
export const HOST_BLOCKS = {
  knit_host_open_block: "iiii",
  knit_host_hold_block: "iiiip",
  knit_host_kept: "iii",
  knit_host_lend_block: "iip",
  knit_host_take_over_block: "iii",
  knit_host_close_block: "iiii",
  knit_host_alloc_block: "ii",
  knit_host_free_block: "iii",
  knit_host_assign_block: "iiii",
  knit_host_trim: "i",
  knit_host_reserve: "ii",
} as const;

/** Worker processes, as their host sees them. */
export const PROCESSES = {
  knit_host_boot: "ipzpz",
  knit_host_spawn: "iipzp",
  knit_host_take_exit: "ipz",
  knit_host_kill: "iii",
} as const;

/** A worker process's own. */
export const JOINED = {
  knit_process_join: "p",
  knit_process_boot: "pz",
} as const;

/** A worker's start and its turns. */
export const WORKER = {
  knit_worker_attach: "pp",
  knit_worker_memory: "iip",
  knit_worker_outbox: "iip",
  knit_worker_turn: "iii",
  knit_worker_publish: "ii",
  knit_worker_arm: "i",
} as const;

/** What else a worker does, and its end. */
export const WORKER_REST = {
  knit_worker_owns: "i",
  knit_worker_pause: "ii",
  knit_worker_watch: "ii",
  knit_worker_close: "i",
} as const;

/** A worker's blocks. */
export const WORKER_BLOCKS = {
  knit_worker_open_block: "iii",
  knit_worker_hold_block: "iiip",
  knit_worker_close_block: "iii",
  knit_worker_alloc_block: "ii",
  knit_worker_free_block: "iii",
  knit_worker_trim: "i",
} as const;

/** Bells that are functions. */
export const RINGS = {
  knit_host_bell: "iaa",
  knit_worker_bell: "iaa",
  knit_watch_bell: "iaa",
} as const;

/** Bells that are notes. */
export const NOTES = {
  knit_host_notes: "ii",
  knit_worker_notes: "ii",
  knit_rung: "p",
  knit_rung_clear: "",
} as const;

/** Whoever starts threads. */
export const WATCH = {
  knit_watch_create: "p",
} as const;

/** The ends of threads, as who started them sees them. */
export const ENDS = {
  knit_watch_release: "i",
  knit_watch_take: "ip",
  knit_watch_words: "pz",
  knit_watch_alive: "ii",
} as const;

/** The end of a thread, as it sees it. */
export const THREAD = {
  knit_thread_announce: "ii",
  knit_thread_last_words: "pz",
} as const;

/** Who sends memory that users share on purpose. */
export const SENDER = {
  knit_shared_sender: "p",
  knit_shared_forget_all: "i",
} as const;

/** That memory. */
export const SHARED = {
  knit_shared_create: "ip",
  knit_shared_create_named: "pzip",
  knit_shared_open_named: "pzp",
  knit_shared_unlink: "pz",
  knit_shared_clone: "ip",
  knit_shared_close: "i",
  knit_shared_size: "ip",
  knit_shared_memory: "iip",
  knit_shared_wait: "iiii",
  knit_shared_notify: "iii",
  knit_shared_put: "iip",
  knit_shared_take: "ip",
  knit_shared_forget: "i",
  knit_shared_publish: "ip",
  knit_shared_find: "ip",
  knit_shared_origin: "p",
} as const;

/** How it crosses between a host and its worker processes. */
export const LINKS = {
  knit_host_share: "iip",
  knit_host_unshare: "ii",
  knit_host_take_shared: "iiip",
  knit_process_share: "ip",
  knit_process_unshare: "i",
  knit_process_take_shared: "ip",
} as const;

/** What each host asks of permissions. */
export const PLANNING = {
  knit_permission_plan: "pzpz",
} as const;

/** What else there is about them. */
export const PERMISSIONS = {
  knit_permission_denial: "pzpz",
  knit_host_sandbox: "ipz",
  knit_thread_restrict: "pz",
  knit_process_become: "pzpzpz",
} as const;

/** All of them. */
export const EVERYTHING = {
  ...COMMON,
  ...ERRORS,
  ...JOINED,
  ...WORKER,
  ...WORKER_REST,
  ...WORKER_BLOCKS,
  ...RINGS,
  ...SENDER,
  ...SHARED,
  ...LINKS,
  ...PERMISSIONS,
  ...NOTES,
  ...WATCH,
  ...ENDS,
  ...THREAD,
  ...HOST,
  ...HOST_REST,
  ...CONTROL,
  ...HOST_BLOCKS,
  ...PROCESSES,
  ...PLANNING,
} as const;

/** What may be called for every call, every turn or every part of a payload. The rest is called at starts and ends, and in trouble. */
export const OFTEN: ReadonlySet<string> = new Set([
  ...["knit_host_outbox", "knit_host_turn", "knit_host_arm", "knit_host_submit", "knit_host_measure"],
  ...["knit_worker_outbox", "knit_worker_turn", "knit_worker_publish", "knit_worker_arm", "knit_worker_watch"],
  ...["knit_rung", "knit_rung_clear"],
  ...[CONTROL, HOST_BLOCKS, WORKER_BLOCKS, SHARED, LINKS].flatMap(Object.keys),
]);

/** The argument that a letter stands for. */
interface Letters {
  i: number;
  p: ArrayBufferView | null;
  z: number;
  a: number;
}

type Arguments<Signature extends string> = Signature extends `${infer Letter extends keyof Letters}${infer Rest}` ? [Letters[Letter], ...Arguments<Rest>] : [];

/** The functions of a group. */
export type Functions<Group extends Signatures> = { readonly [Name in keyof Group]: (...args: Arguments<Group[Name]>) => number };

/** `KNIT_NONE`. */
export const NONE = 0x7fff_ffff;
/** `KNIT_STOP`. */
export const STOPPED = 0x7fff_ffff;
/** `KNIT_MEMORY_*`. */
export const MEMORY = { front: 0, control: 1, figures: 3, heap: 4 } as const;
/** Words of `struct knit_memory`: address (low, high), bytes (low, high), token, reserved. */
export const MEMORY_WORDS = 6;
/** Words of `struct knit_options`. */
export const OPTIONS_WORDS = 10;
/** Where some of them begin: workers, steal, arena bytes, abort slots, spin; balancer, alone. */
export const OPTION = { workers: 1, balancer: 8 } as const;
