// A bare web worker, for Deno and Bun.
import { answer } from "./post-dispatch.js";

const scope = /** @type {any} */ (globalThis);
scope.onmessage = (/** @type {{ data: [number, number, unknown] }} */ event) => scope.postMessage(answer(event.data));
