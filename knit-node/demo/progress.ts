/** Showing how far a run is: a bar on a terminal, a line for every tenth elsewhere. */
import process from "node:process";
import { Presets, SingleBar } from "cli-progress";

/** Progress of one run. */
export interface Progress {
  /** Adds bytes that are done. */
  add(bytes: number): void;
  /** Ends the display. */
  end(): void;
}

const MEBI = 1 << 20;

/** Starts showing a run over `bytes` bytes. */
export function progress(label: string, bytes: number): Progress {
  return process.stdout.isTTY ? bar(label, bytes) : lines(label, bytes);
}

function bar(label: string, bytes: number): Progress {
  const format = `${label} {bar} {percentage}% | {value}/{total} MiB | {duration_formatted}`;
  const shown = new SingleBar({ format, hideCursor: true }, Presets.shades_classic);
  const total = Math.ceil(bytes / MEBI);
  let done = 0;
  shown.start(total, 0);
  return {
    add(more) {
      done += more;
      // A file may have grown since it was listed.
      shown.update(Math.min(total, Math.floor(done / MEBI)));
    },
    end() {
      shown.update(total);
      shown.stop();
    },
  };
}

function lines(label: string, bytes: number): Progress {
  let done = 0;
  let tenth = 0;
  return {
    add(more) {
      done += more;
      const reached = bytes === 0 ? 0 : Math.min(10, Math.floor((10 * done) / bytes));
      if (reached <= tenth) return;
      tenth = reached;
      console.log(`${label} ${tenth * 10}%`);
    },
    end() {
      if (tenth < 10) console.log(`${label} 100%`);
    },
  };
}
