/** What the run of faults calls. */
import { task } from "../../ts/index.ts";
import { ProcessSharedBuffer } from "../../ts/shared-memory/process-shared-buffer.ts";

export const echo = task({ f: (value: unknown): unknown => value });
export const later = task({ f: (ms: number) => new Promise<number>((resolve) => setTimeout(resolve, ms, ms)) });
export const burns = task({
  f: (ms: number) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
    return ms;
  },
});
/** Who answers serves, and may be killed. */
export const serves = task({ f: () => process.pid });
/** Adds to a word of memory that crosses, and answers with memory of its own. */
export const shares = task({
  f: (buffer: ProcessSharedBuffer): ProcessSharedBuffer => {
    Atomics.add(buffer.view(Int32Array), 0, 1);
    buffer.close();
    const own = ProcessSharedBuffer.create(4096);
    own.bytes()[0] = 1;
    setTimeout(() => own.close(), 0);
    return own.subbuffer(0);
  },
});
