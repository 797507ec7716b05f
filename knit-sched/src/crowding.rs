//! Sharing a core with the one that is waited for.
//!
//! A host and a worker that wait for each other on one core, each giving it up to the other every few microseconds, answer some 15 times later than on two. Both
//! run all the time, so nobody is woken, for whom the system would choose an idle core; it moves one of them when it next balances its cores, after
//! many milliseconds. So a worker that has taken turns with somebody for a while goes elsewhere itself: it takes its core out of its affinity and puts it
//! back at once. Where to, the system chooses. If every core is busy that gains nothing, so it is done rarely.

use std::time::{Duration, Instant};

/// Giving the core up to nobody takes less.
const NOBODY: Duration = Duration::from_micros(2);
/// So many turns in a row are no accident: a quarter of a millisecond.
const TURNS: u32 = 32;
/// Between two moves, so that they cost next to nothing.
const REST: Duration = Duration::from_millis(2);

/// Whether somebody runs whenever this thread gives its core up.
#[derive(Debug, Default)]
pub(crate) struct Crowding {
    turns: u32,
    moved: Option<Instant>,
}

impl Crowding {
    /// Gives the core up, and leaves it if somebody else has run each time for a while.
    pub(crate) fn give_up_core(&mut self) {
        let start = Instant::now();
        std::thread::yield_now();
        let now = Instant::now();
        if self.is_crowded(now - start, now) {
            leave_core();
        }
    }

    /// Takes in for how long the core was given up. Whether it is time to leave it, which then counts as done.
    fn is_crowded(&mut self, away: Duration, now: Instant) -> bool {
        self.turns = if away < NOBODY {
            0
        } else {
            self.turns.saturating_add(1)
        };
        let rested = self.moved.is_none_or(|moved| now - moved >= REST);
        if self.turns < TURNS || !rested {
            return false;
        }
        *self = Self {
            turns: 0,
            moved: Some(now),
        };
        true
    }
}

/// Moves this thread to another of its cores. If it has no other, or may not, it stays.
#[cfg(target_os = "linux")]
fn leave_core() {
    use rustix::thread::{sched_getaffinity, sched_getcpu, sched_setaffinity};
    let Ok(all) = sched_getaffinity(None) else {
        return;
    };
    let mut others = all;
    others.unset(sched_getcpu());
    if others.count() > 0 && sched_setaffinity(None, &others).is_ok() {
        let _ = sched_setaffinity(None, &all);
    }
}

#[cfg(not(target_os = "linux"))]
fn leave_core() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_many_turns_in_a_row_are_a_crowd_and_moves_are_rare() {
        let mut crowding = Crowding::default();
        let start = Instant::now();
        let shared = |crowding: &mut Crowding, times: u32, now| {
            (0..times)
                .filter(|_| crowding.is_crowded(2 * NOBODY, now))
                .count()
        };
        assert_eq!(shared(&mut crowding, TURNS - 1, start), 0);
        assert!(!crowding.is_crowded(NOBODY / 2, start), "alone");
        assert_eq!(shared(&mut crowding, TURNS - 1, start), 0);
        assert_eq!(shared(&mut crowding, 1, start), 1);
        assert_eq!(
            shared(&mut crowding, 10 * TURNS, start + REST / 2),
            0,
            "too early"
        );
        assert_eq!(shared(&mut crowding, 1, start + REST), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn who_leaves_its_core_is_on_another_and_may_go_where_it_might_before() {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
        let all = sched_getaffinity(None).unwrap();
        if all.count() < 2 {
            println!("skipped: there is one core");
            return;
        }
        // Nothing else has this thread move, but the system may at any time.
        let left = (0..100).any(|_| {
            let here = sched_getcpu();
            let mut only = CpuSet::new();
            only.set(here);
            sched_setaffinity(None, &only).unwrap();
            leave_core();
            assert_eq!(sched_getcpu(), here, "there is no other");
            sched_setaffinity(None, &all).unwrap();
            leave_core();
            sched_getcpu() != here
        });
        assert!(left);
        assert_eq!(sched_getaffinity(None).unwrap(), all);
    }
}
