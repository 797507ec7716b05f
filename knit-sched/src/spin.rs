//! Looking before sleeping: how long a host looks for replies, and how both sides look.
//!
//! Spinning is right when the answer is nearer than the price of being woken (tens of microseconds), and wrong
//! otherwise: it burns a core that the worker may need. So the limit follows the recent reply time: somewhat more than it while it is
//! short, as long as a wake-up costs while it is not much longer than that (never more than twice the best choice, as in the
//! ski-rental problem: Karlin, Manasse, McGeoch, Owicki, "Competitive randomized algorithms for nonuniform problems", 1994), nothing once it is long.
//!
//! A reply time is measured from the last progress (calls handed over or replies received) to the next reply. It includes the host's own
//! wake-up if it slept: were that enough to forbid spinning, a host that slept once would sleep for ever.
//!
//! The spinner gives its core up every few microseconds: on a busy machine, whom it waits for may be waiting for that very core (`crowding.rs`).

use std::time::{Duration, Instant};

/// No spin is longer: about what a wake-up costs.
pub(crate) const LONGEST: Duration = Duration::from_micros(50);
/// How long a spinner keeps its core.
const YIELD: Duration = Duration::from_micros(4);
/// Replies are far, and not waited for, if they take this many times the longest spin.
const FAR: u32 = 3;
/// No reply time counts as more than so many times the longest spin, so that quick replies bring spinning back soon.
const MOST: u32 = 12;
/// The mean takes in 1/4 of each new reply time.
const WEIGHT_SHIFT: u32 = 2;

/// The adaptive limit of a spin.
#[derive(Debug)]
pub(crate) struct SpinLimit {
    mean: u32,
    longest: u32,
}

impl SpinLimit {
    pub(crate) fn new(longest: Duration) -> Self {
        Self {
            mean: 0,
            longest: u32::try_from(longest.as_nanos()).unwrap_or(u32::MAX),
        }
    }

    /// How long to look now.
    pub(crate) fn limit(&self) -> Duration {
        if self.is_far() {
            return Duration::ZERO;
        }
        Duration::from_nanos(u64::from(
            self.mean
                .saturating_mul(2)
                .saturating_add(self.longest / 4)
                .min(self.longest),
        ))
    }

    /// Whether the next reply is so far that to look for it is no use. Never on a machine where nobody may spin, of which it tells nothing.
    pub(crate) fn is_far(&self) -> bool {
        self.longest > 0 && self.mean > self.longest.saturating_mul(FAR)
    }

    /// Takes in a measured reply time.
    pub(crate) fn record(&mut self, reply_time: Duration) {
        let sample = u32::try_from(reply_time.as_nanos())
            .unwrap_or(u32::MAX)
            .min(self.longest.saturating_mul(MOST));
        self.mean = self.mean - (self.mean >> WEIGHT_SHIFT) + (sample >> WEIGHT_SHIFT);
    }
}

/// Looks until `found` says so, or the limit is over; returns what it said last. Between two looks it pauses for so long. `give_up_core` is called every few
/// microseconds.
pub(crate) fn look<E>(
    limit: Duration,
    pause: Duration,
    mut give_up_core: impl FnMut(),
    mut found: impl FnMut() -> Result<bool, E>,
) -> Result<bool, E> {
    let start = Instant::now();
    let mut yield_at = YIELD;
    let mut look_at = Duration::ZERO;
    let mut elapsed = Duration::ZERO;
    loop {
        let looks = elapsed >= look_at;
        for _ in 0..16 {
            core::hint::spin_loop();
            if looks && found()? {
                return Ok(true);
            }
            if !pause.is_zero() {
                break;
            }
        }
        elapsed = start.elapsed();
        if looks {
            look_at = elapsed.saturating_add(pause);
        }
        if elapsed >= limit {
            return Ok(false);
        }
        if elapsed >= yield_at {
            give_up_core();
            yield_at = start.elapsed() + YIELD;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_replies_are_waited_for_and_slow_ones_are_not() {
        let mut spin = SpinLimit::new(LONGEST);
        assert!(
            spin.limit() > Duration::ZERO,
            "the first call is given a chance"
        );
        for _ in 0..50 {
            spin.record(Duration::from_millis(5));
        }
        assert_eq!(spin.limit(), Duration::ZERO);
        assert!(spin.is_far());
        for _ in 0..50 {
            spin.record(Duration::from_nanos(600));
        }
        assert!(!spin.is_far());
        assert!(spin.limit() > Duration::from_micros(5));
        assert!(spin.limit() < LONGEST);
    }

    #[test]
    fn a_pause_makes_looks_rare_and_none_lets_them_be_many() {
        let looks = |pause| {
            let mut looks = 0;
            let found = look(
                Duration::from_millis(2),
                pause,
                std::thread::yield_now,
                || {
                    looks += 1;
                    Ok::<_, std::convert::Infallible>(false)
                },
            );
            assert_eq!(found, Ok(false));
            looks
        };
        // A machine that is busy looks less often, never more.
        let rare = looks(Duration::from_micros(200));
        assert!((1..=11).contains(&rare), "{rare}");
        assert!(looks(Duration::ZERO) >= 16);
    }

    #[test]
    fn a_few_quick_replies_after_a_pause_bring_spinning_back() {
        let mut spin = SpinLimit::new(LONGEST);
        spin.record(Duration::from_secs(3600));
        let quick = (1..100).find(|_| {
            spin.record(Duration::from_micros(2));
            spin.limit() > Duration::ZERO
        });
        assert!(quick.is_some_and(|n| n < 10));
    }
}
