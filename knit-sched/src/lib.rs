//! A worker pool over shared memory: lanes, stealing, worker states, crash bookkeeping.
