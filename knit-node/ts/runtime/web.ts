/**
 * Workers as the web has them, which Deno and Bun share: `new Worker(url)`, messages, an `error` event.
 *
 * # The end of a worker
 *
 * These runtimes end a worker later than they say, or say nothing at all. So each worker announces itself to the engine before it loads
 * anything of the user's, and the engine tells when its thread has ended (`knit_sched::port::threads`). Why it ended it says itself, as its
 * last words: the runtimes tell no more than a text, or nothing.
 *
 * A worker that is to be ended before it has announced itself is waited for until it has: then its end can be told. And it is given `START_MS` to say
 * how its start went: Deno leaves two descriptors behind for each worker that is ended while it loads modules, and Bun is unwell, too.
 *
 * Deno cannot end a thread that does not return to its event loop. Such a worker is given up after `STUCK_MS`: it counts as ended, its place in
 * the pool is closed to it, and the thread goes on until its task returns or the process ends.
 */
import { KnitError, OptionError } from "../api/errors.ts";
import { webEngine } from "./engine.ts";
import type { Notes } from "./ffi/bells.ts";
import { restrict } from "../worker/restrict.ts";
import { serializeFailure } from "./runtime.ts";
import type { EarlyBoot, Starter, WorkerBoot, WorkerHandle, WorkerListener, WorkerMessage, WorkerSettings } from "./runtime.ts";

/** What both runtimes' `Worker` has. */
export interface WebWorker {
  postMessage(message: unknown, transfer?: readonly object[]): void;
  terminate(): void;
  addEventListener(type: string, listener: (event: WebEvent) => void): void;
  /** Bun's. */
  unref?(): void;
}

/** Milliseconds that a worker has to finish its start before it is ended. */
const START_MS = 1000;
/** Milliseconds that a worker has to end after it was told to. */
const STUCK_MS = 2000;

interface WebEvent {
  readonly data?: unknown;
  readonly message?: string;
  readonly error?: unknown;
  readonly reason?: unknown;
  readonly code?: number;
  preventDefault(): void;
  stopImmediatePropagation(): void;
}

interface WebGlobal {
  readonly Worker: new (entry: URL, options: object) => WebWorker;
  postMessage(message: unknown): void;
  addEventListener(type: string, listener: (event: WebEvent) => void): void;
  removeEventListener(type: string, listener: (event: WebEvent) => void): void;
}

const web = globalThis as unknown as WebGlobal;

/** The first message to a worker; null: it is not needed after all. */
interface FirstMessage {
  readonly knit: Omit<WorkerBoot, "memories">;
  readonly watch: number;
  readonly id: number;
  /** What wakes it, if its runtime has no bell of its own. */
  readonly notes: Notes | null;
  /** The user's own entry, if there is one. */
  readonly source: string | null;
}

/** The second one. It moves a port, for which Deno takes milliseconds the first time: the worker loads what the user wrote meanwhile. */
type SecondMessage = WorkerBoot["memories"];

/** The first one, with what the second will bring. */
type Messages = FirstMessage & { readonly memories: Promise<SecondMessage> };

/** Why a worker ended, as far as it could say. */
interface LastWords {
  /** Its last message: it may not have been delivered. */
  readonly said?: WorkerMessage;
  readonly error?: { readonly isError: boolean; readonly name: string; readonly message: string; readonly stack?: string; readonly code?: string };
}

// ---- in a worker ----

let isWorker = false;
/** The worker's entry is there. */
let isServing = false;

/** Whether this thread is a worker of a pool. */
export function inPool(): boolean {
  return isWorker;
}

let said: WorkerMessage | undefined;

/** Whether a message is the one that every worker sends first. */
function tellsOfStart(message: WorkerMessage): boolean {
  return "ready" in message || "failed" in message;
}

/** Tells the host. */
export function say(message: WorkerMessage): void {
  if (tellsOfStart(message)) said = message;
  web.postMessage(message);
  // Unless the engine is what failed.
  if (isWorker) lastWords({});
}

/** Leaves word of why this worker ends. */
function lastWords(words: LastWords): void {
  if (isWorker) webEngine().threadLastWords(JSON.stringify(said === undefined ? words : { said, ...words }));
}

let messages: Promise<Messages> | null = null;

function receive(): Promise<Messages> {
  return (messages ??= new Promise((resolve) => {
    onMessage((message: FirstMessage | null) => {
      if (message === null) return leave();
      // Listens at once: what nobody listens for is lost.
      resolve({ ...message, memories: new Promise(onMessage) });
    });
  }));
}

/** Hears one message, before anybody else, and alone: modules of the user's may listen, too. */
function onMessage<Message>(callback: (message: Message) => void): void {
  const listener = (event: WebEvent): void => {
    // A listener keeps the worker's loop alive.
    web.removeEventListener("message", listener);
    event.stopImmediatePropagation();
    callback(event.data as Message);
  };
  web.addEventListener("message", listener);
}

/** Ends this thread. Nothing was loaded into it but this package. */
function leave(): void {
  const { close } = globalThis as { close?(): void };
  if (close !== undefined) close();
  else process.exit();
}

/** Waits for the first message, and announces this worker. */
export async function receiveBoot(): Promise<EarlyBoot | null> {
  // Within the import of the user's own entry, which may do nothing else.
  isServing = true;
  loadEarly();
  const { knit, watch, id, notes, memories } = await receive();
  if (!isWorker && !announce(watch, id)) return gone();
  webEngine().threadNotes(notes);
  return { ...knit, memories };
}

/** Whoever started this thread has ended: nothing is left to be said, and nobody to say it to. */
function gone(): Promise<never> {
  leave();
  return new Promise(() => {});
}

/** The host is busy with the same meanwhile. What is wrong will be so again, and be told then. */
function loadEarly(): void {
  try {
    webEngine();
  } catch {
    // See above.
  }
}

function announce(watch: number, id: number): boolean {
  if (!webEngine().threadAnnounce(watch, id)) return false;
  isWorker = true;
  web.postMessage({ announced: true });
  web.addEventListener("error", (event) => blame(event.error));
  web.addEventListener("unhandledrejection", (event) => blame(event.reason));
  return true;
}

/** Runs the user's own entry. */
export async function runSource(): Promise<void> {
  const { knit, source, watch, id } = await receive();
  if (source === null || !announce(watch, id)) return;
  try {
    restrict(webEngine(), knit.restriction);
    await import(source);
    if (!isServing) throw new KnitError("KNT_WORKER_START", `${source} does not serve: it must import "@vixeny/knitting/worker"`);
  } catch (error) {
    say({ failed: serializeFailure(error) });
  }
}

/** What nobody has caught so far. If the program catches it after all, the worker lives to take its words back. */
function blame(error: unknown): void {
  lastWords({ error: plain(error) });
  setTimeout(() => lastWords({}), 0);
}

function plain(error: unknown): LastWords["error"] {
  if (!(error instanceof Error)) return { isError: false, name: "Error", message: String(error) };
  const { name, message, stack } = error;
  const { code } = error as { code?: unknown };
  return { isError: true, name, message, ...(stack === undefined ? {} : { stack }), ...(typeof code === "string" ? { code } : {}) };
}

// ---- on the host ----

/** Who hears of the end of which worker. */
const ends = new Map<number, (words: LastWords) => void>();
let watch = -1;
let lastId = 0;
/** Ends that are waited for: they keep the process alive. */
let awaited = 0;

function onEnds(): void {
  for (const { id, lastWords } of webEngine().threadsEnded(watch)) {
    ends.get(id)?.(lastWords === "" ? {} : (JSON.parse(lastWords) as LastWords));
  }
}

function keepAlive(change: 1 | -1): void {
  awaited += change;
  if (awaited === (change + 1) / 2) webEngine().threadsKeepAlive(watch, awaited > 0);
}

// Sources run as they are; the published package is compiled beside them.
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const ENTRY = new URL(`../worker/main${EXTENSION}`, import.meta.url);
const SOURCE_ENTRY = new URL(`../runtime/source${EXTENSION}`, import.meta.url);

/**
 * The starter of a pool. `early` threads are begun at once: they load this package while the host does, and while it plans and makes its pool. All that
 * is particular about them comes with their messages.
 */
export function begin(early: number, unref: (worker: WebWorker) => void): Starter {
  const begun = new Map<number, WebWorker>();
  for (let index = 0; index < early; index++) {
    const worker = made(ENTRY, index, {});
    unref(worker);
    begun.set(index, worker);
  }
  return {
    start(boot, settings, listener) {
      refuse(settings);
      const { index } = boot;
      const worker = begun.get(index) ?? made(settings.source === null ? ENTRY : SOURCE_ENTRY, index, permitted(settings));
      begun.delete(index);
      return start(worker, boot, settings, listener, unref);
    },
    discard() {
      for (const worker of begun.values()) worker.postMessage(null);
      begun.clear();
    },
  };
}

function made(entry: URL, index: number, options: object): WebWorker {
  return new web.Worker(entry, { type: "module", name: `knit ${index}`, ...options });
}

/** Starts a worker in a thread. */
function start(worker: WebWorker, boot: WorkerBoot, settings: WorkerSettings, listener: WorkerListener, unref: (worker: WebWorker) => void): WorkerHandle {
  if (watch === -1) watch = webEngine().threadsWatch(onEnds);
  const id = ++lastId;
  let resolveAnnounced!: () => void;
  let resolveStarted!: () => void;
  let resolveEnded!: () => void;
  const hasAnnounced = new Promise<void>((resolve) => (resolveAnnounced = resolve));
  const hasStarted = new Promise<void>((resolve) => (resolveStarted = resolve));
  const ended = new Promise<void>((resolve) => (resolveEnded = resolve));
  let code: number | undefined;
  let text: string | undefined;

  let heard = false;
  const hear = (message: WorkerMessage): void => {
    if (tellsOfStart(message)) {
      if (heard) return;
      heard = true;
      resolveStarted();
    }
    listener.message(message);
  };

  let awaits = false;
  /** It is about to end, or is told to. */
  const awaitEnd = (): void => {
    if (awaits || !ends.has(id)) return;
    awaits = true;
    keepAlive(1);
  };
  const end = (words: LastWords): void => {
    if (!ends.delete(id)) return;
    if (awaits) keepAlive(-1);
    if (words.said !== undefined) hear(words.said);
    const error = words.error !== undefined ? revive(words.error) : text !== undefined ? new Error(text) : undefined;
    // Bun says 0 for an unhandled rejection, Deno nothing at all.
    listener.exit(error === undefined ? (code ?? 0) : code || 1, error);
    resolveAnnounced();
    resolveStarted();
    resolveEnded();
  };
  ends.set(id, end);
  /** For events that mean an end: whether the engine is going to tell of it. */
  const willBeTold = (): boolean => webEngine().threadsAlive(watch, id);
  worker.addEventListener("message", ({ data }) => {
    const message = data as WorkerMessage | { announced: true };
    if (!("announced" in message)) hear(message);
    // Or it has failed before, since it could not load the engine.
    resolveAnnounced();
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    text = event.message;
    if (willBeTold()) awaitEnd();
    else end({ error: plain(new Error(event.message)) });
  });
  worker.addEventListener("close", (event) => {
    code = event.code;
    if (willBeTold()) awaitEnd();
    else end({});
  });
  const notes = webEngine().hostNotes(boot.token);
  const { memories, ...knit } = boot;
  worker.postMessage({ knit, watch, id, notes, source: settings.source } satisfies FirstMessage);
  worker.postMessage(memories satisfies SecondMessage, memories === null ? [] : [memories.port]);
  unref(worker);

  let terminated: Promise<void> | null = null;
  const terminate = async (): Promise<void> => {
    awaitEnd();
    await hasAnnounced;
    const patience = setTimeout(resolveStarted, START_MS);
    await hasStarted;
    clearTimeout(patience);
    worker.terminate();
    if (!willBeTold()) end({});
    const timer = setTimeout(() => {
      // A host that was busy meanwhile has not heard of ends yet.
      onEnds();
      if (!ends.has(id)) return;
      const error = stuck();
      console.warn(`${error.name} (${error.code}): ${error.message}`);
      end({ error: plain(error) });
    }, STUCK_MS);
    await ended;
    clearTimeout(timer);
  };
  return { ended, terminate: () => (terminated ??= terminate()) };
}

/** Deno's: what the thread may do. */
function permitted({ permissions }: WorkerSettings): object {
  const planned = permissions?.plan?.deno;
  return planned === undefined ? {} : { deno: { permissions: withinOwn(planned) } };
}

interface DenoPermissions {
  querySync(descriptor: object): { readonly state: string };
}

/** What the kinds of permissions are about, in Deno's descriptors. */
const SUBJECT: Readonly<Record<string, string>> = { read: "path", write: "path", ffi: "path", net: "host", env: "variable", run: "command", sys: "kind" };

/** A thread cannot be given what its host does not have: Deno would refuse to start it. */
function withinOwn(planned: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { permissions } = (globalThis as unknown as { Deno: { permissions: DenoPermissions } }).Deno;
  const has = (descriptor: object): boolean => permissions.querySync(descriptor).state === "granted";
  const within = Object.entries(planned).map(([name, wanted]) => {
    if (wanted === false || has({ name })) return [name, wanted];
    if (!Array.isArray(wanted)) return [name, "inherit"];
    return [name, wanted.filter((item: unknown) => has({ name, [SUBJECT[name] as string]: item }))];
  });
  return Object.fromEntries(within) as Record<string, unknown>;
}

/** Not made before: Deno takes milliseconds for the first error of a thread. */
function stuck(): KnitError {
  return new KnitError(
    "KNT_WORKER_STUCK",
    "A worker thread that was told to end runs a task that does not return, and this runtime cannot end such a thread. It is given up, and uses its core until the task returns or the process ends",
  );
}

/** These runtimes' threads take no settings. */
function refuse({ execArgv, resourceLimits }: WorkerSettings): void {
  if (execArgv !== undefined && execArgv.length > 0) {
    throw new OptionError(`createPool: workerExecArgv (${execArgv.join(" ")}): worker threads of this runtime take no flags of their own, only those of Node.js do`);
  }
  if (resourceLimits !== undefined) {
    throw new OptionError("createPool: worker.resourceLimits: worker threads of this runtime have no limits of their own, only those of Node.js do");
  }
}

const BUILT_IN: Readonly<Record<string, ErrorConstructor>> = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function revive({ isError, name, message, stack, code }: NonNullable<LastWords["error"]>): unknown {
  if (!isError) return message;
  const error = new (BUILT_IN[name] ?? Error)(message);
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, writable: true, configurable: true });
  if (stack !== undefined) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}
