// A bare worker of Node's worker_threads.
import { parentPort } from "node:worker_threads";
import { answer } from "./post-dispatch.js";

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);
port.on("message", (message) => port.postMessage(answer(message)));
