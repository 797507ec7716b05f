//! Histograms that a worker writes and the host reads at any time, also while the worker is stuck or dead.
//!
//! Counts of times in ns, in buckets whose width is 1/32 of their octave: what is read back is within 1.6 % of what was recorded, up to 9
//! hours, and the longest time exactly. They count from the making of the pool on, over all workers that a place has had.
//!
//! | bytes | content |
//! |---|---|
//! | 0..8 | the longest time |
//! | 8.. | [`BUCKETS`] counts, u64 each |
//!
//! One thread writes; no reader sees more than a count half-way between two values that it had. What is read is a worker's word only: any
//! number may be there.
//!
//! Source: the log-linear buckets are those of Gil Tene's HdrHistogram, with fewer digits.

use core::sync::atomic::{AtomicU64, Ordering};

use knit_shm::Area;

/// Of each octave, this many bits tell the bucket.
const SUB_BITS: u32 = 5;
const SUBS: usize = 1 << SUB_BITS;
/// Times of 2^45 ns and more share the last bucket.
const OCTAVES: usize = 45 - SUB_BITS as usize;
/// The first `SUBS` buckets hold one time each, then every octave has `SUBS`.
const BUCKETS: usize = SUBS * (OCTAVES + 1);

/// The bucket of a time.
fn bucket(time: u64) -> usize {
    if time < SUBS as u64 {
        return time as usize;
    }
    let octave = time.ilog2() - SUB_BITS;
    // The leading bit is in it, and makes the octave's number one higher.
    let at = octave as usize * SUBS + (time >> octave) as usize;
    at.min(BUCKETS - 1)
}

/// The shortest time in a bucket.
fn first(bucket: usize) -> u64 {
    if bucket < SUBS {
        return bucket as u64;
    }
    ((bucket % SUBS + SUBS) as u64) << (bucket / SUBS - 1)
}

/// The middle of a bucket.
fn middle(bucket: usize) -> u64 {
    first(bucket) + (first(bucket + 1) - first(bucket)) / 2
}

/// One histogram in shared memory.
#[derive(Clone)]
pub(crate) struct Histogram {
    area: Area,
}

impl Histogram {
    /// Its bytes.
    pub(crate) const BYTES: usize = (1 + BUCKETS) * 8;

    /// The one in this area, which starts at a multiple of 8 bytes.
    pub(crate) fn new(area: Area) -> Self {
        Self { area }
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        self.area
            .atomic_u64(index * 8)
            .expect("the layout has room for every bucket")
    }

    /// Its one writer: so many times of so many ns.
    pub(crate) fn record(&self, time: u64, count: u64) {
        let word = self.word(1 + bucket(time));
        // Relaxed, here and below: each word stands for itself.
        word.store(
            word.load(Ordering::Relaxed).wrapping_add(count),
            Ordering::Relaxed,
        );
        let longest = self.word(0);
        if time > longest.load(Ordering::Relaxed) {
            longest.store(time, Ordering::Relaxed);
        }
    }

    pub(crate) fn longest(&self) -> u64 {
        self.word(0).load(Ordering::Relaxed)
    }

    /// What was recorded: a time in the middle of each bucket that has some, and how many.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        (0..BUCKETS).filter_map(|bucket| {
            let count = self.word(1 + bucket).load(Ordering::Relaxed);
            (count > 0).then(|| (middle(bucket), count))
        })
    }
}

#[cfg(test)]
mod tests {
    use knit_shm::Region;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        for index in 1..BUCKETS {
            let first = first(index);
            assert_eq!(bucket(first), index);
            assert_eq!(bucket(first - 1), index - 1);
            assert_eq!(bucket(middle(index)), index);
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn what_was_recorded_is_counted_and_the_longest_is_exact() {
        let region = Region::heap(Histogram::BYTES);
        let histogram = Histogram::new(region.area(0, Histogram::BYTES).unwrap());
        histogram.record(7, 3);
        histogram.record(1_000_003, 1);
        histogram.record(7, 1);
        let counts: Vec<_> = histogram.counts().collect();
        assert_eq!(counts[0], (7, 4));
        assert_eq!(counts[1].1, 1);
        assert_eq!(counts.len(), 2);
        assert_eq!(histogram.longest(), 1_000_003);
    }

    proptest! {
        #[test]
        fn a_time_is_read_back_within_the_promised_error(time in 0..1_u64 << 45) {
            let read = middle(bucket(time));
            prop_assert!(read.abs_diff(time) as f64 <= time as f64 * 0.016, "{} for {}", read, time);
        }
    }
}
