/**
 * How this thread's event loop is woken, in the two ways that `notes.ts` and `rings.ts` are.
 */

/** Where a pool's participants are woken: a word for each, the host first. */
export interface Notes {
  /** The pool's name in notes. */
  readonly pool: number;
  readonly words: Int32Array<SharedArrayBuffer>;
}

/** The bell of one host or worker. */
export interface LoopBell {
  /** The engine has announced that it sleeps. */
  armed(): void;
  /** Whether the bell keeps the event loop from ending. */
  keepAlive(alive: boolean): void;
  /** It is not rung any more: to be called when the engine rings nobody here any more, either. */
  close(): void;
}
