/**
 * Entry of a worker with a `source` of the user's own, where workers are the web's: runs that module, and sees whether it serves. Nothing else
 * would tell: a worker without a task of its own waits for messages for ever.
 */
import { runSource } from "./web.ts";

void runSource();
