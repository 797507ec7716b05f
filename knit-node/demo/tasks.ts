/** The demo's one task. A module of its own, so that workers load nothing of the demo's display. */
import { task } from "@vixeny/knitting";
import { examine } from "./examine.ts";

/** {@link examine}, on another core. */
export const digest = task({ f: examine });
