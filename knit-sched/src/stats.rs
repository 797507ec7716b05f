//! What a pool tells about itself.

use std::time::Duration;

use hdrhistogram::Histogram as Merged;

use crate::histogram::Histogram;

/// How long something took, over many calls. All zero if there was none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// Half took no longer; within 3 %.
    pub p50: Duration,
    /// 99 of 100 took no longer; within 3 %.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// Figures of one worker's place, over all workers that it has had, or of a whole pool. All but `queued` and `running` count from the pool's
/// making on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Calls that were handed over to the pool; that the worker has taken.
    pub submitted: u64,
    /// Calls that no worker has taken: in the pool, or in the worker's lane.
    pub queued: u64,
    /// Calls that were taken and are not answered.
    pub running: u64,
    /// Calls that were answered with a result.
    pub completed: u64,
    /// Calls that were answered with what was thrown, or whose worker died.
    pub failed: u64,
    /// Calls that were removed before a worker took them; of pools only.
    pub removed: u64,
    /// How often a dead worker was replaced.
    pub respawns: u64,
    /// Bytes of arguments that workers were given, in frames and in blocks.
    pub bytes_in: u64,
    /// Bytes that workers answered, in frames and in blocks.
    pub bytes_out: u64,
    /// From the hand-over of a call until a worker took it.
    pub wait: Times,
    /// From then until it was answered. Short synchronous calls that were claimed together share their time equally.
    pub run: Times,
}

/// Figures of a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Of all workers together.
    pub pool: Figures,
    /// Of each worker's place.
    pub workers: Vec<Figures>,
}

/// Adds up histograms.
pub(crate) struct Summary {
    merged: Merged<u64>,
    longest: u64,
}

impl Summary {
    pub(crate) fn new() -> Self {
        // Two digits: finer than the buckets that come in.
        let merged = Merged::new_with_bounds(1, 1 << 46, 2).expect("constant bounds");
        Self { merged, longest: 0 }
    }

    pub(crate) fn add(&mut self, histogram: &Histogram) {
        for (time, count) in histogram.counts() {
            self.merged.saturating_record_n(time, count);
        }
        self.longest = self.longest.max(histogram.longest());
    }

    /// What was added since the last time.
    pub(crate) fn take(&mut self) -> Times {
        let longest = std::mem::take(&mut self.longest);
        let at = |quantile| {
            let time = self.merged.value_at_quantile(quantile).min(longest);
            Duration::from_nanos(time)
        };
        let times = Times {
            p50: at(0.5),
            p99: at(0.99),
            max: Duration::from_nanos(longest),
        };
        self.merged.reset();
        times
    }
}
