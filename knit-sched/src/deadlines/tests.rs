//! The wheel against examples, and against a plain ordered map.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn expire(deadlines: &mut Deadlines, now: u64, max: usize) -> Vec<u32> {
    let mut calls = Vec::new();
    deadlines.expire(now, max, |expired| calls.push(expired.call));
    calls
}

#[test]
fn deadlines_at_both_ends_of_time_have_a_place() {
    let mut deadlines = Deadlines::default();
    deadlines.schedule(0, 0, 0);
    deadlines.schedule(1, 0, u64::MAX);
    deadlines.schedule(2, 0, u64::MAX - 1);
    assert_eq!(deadlines.next(), Some(0));
    assert_eq!(expire(&mut deadlines, 0, 9), [0]);
    assert_eq!(deadlines.next(), Some(u64::MAX - 1));
    assert_eq!(expire(&mut deadlines, u64::MAX - 2, 9), []);
    assert_eq!(expire(&mut deadlines, u64::MAX, 9), [2, 1]);
    assert_eq!(deadlines.next(), None);
    assert!(deadlines.is_empty());
}

#[test]
fn what_there_was_no_room_for_comes_the_next_time_unless_it_is_cancelled() {
    let mut deadlines = Deadlines::default();
    for call in 0..10 {
        deadlines.schedule(call, call, 5);
    }
    assert_eq!(expire(&mut deadlines, 7, 4), [0, 1, 2, 3]);
    assert_eq!(deadlines.next(), Some(7));
    assert!(deadlines.cancel(5));
    deadlines.schedule(6, 6, 8);
    assert_eq!(expire(&mut deadlines, 7, 9), [4, 7, 8, 9]);
    assert_eq!(expire(&mut deadlines, 8, 9), [6]);
}

#[test]
fn a_clock_that_stands_or_steps_back_fires_nothing_early_or_twice() {
    let mut deadlines = Deadlines::default();
    assert_eq!(expire(&mut deadlines, 100, 9), []);
    deadlines.schedule(0, 0, 101);
    assert_eq!(expire(&mut deadlines, 50, 9), []);
    assert_eq!(expire(&mut deadlines, 100, 9), []);
    assert_eq!(expire(&mut deadlines, 101, 9), [0]);
    assert_eq!(expire(&mut deadlines, 101, 9), []);
}

/// `next` is what a timer is armed for: one that names a past tick again and again would spin.
#[test]
fn a_timer_that_fires_for_a_cancelled_deadline_is_armed_for_a_later_tick() {
    let mut deadlines = Deadlines::default();
    deadlines.schedule(0, 0, 4097);
    deadlines.schedule(1, 0, 8000);
    deadlines.cancel(0);
    let mut wakes = 0;
    while let Some(next) = deadlines.next() {
        expire(&mut deadlines, next, 9);
        wakes += 1;
        assert!(wakes < 3);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Schedule { call: u32, after: u64 },
    Cancel(u32),
    Expire { after: u64, max: usize },
    ToNext,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Near and far, and just about where slots begin.
    let after = prop_oneof![
        0_u64..70,
        (0_u32..40, 0_u64..3).prop_map(|(bits, more)| (1 << bits) - 1 + more)
    ];
    let step = prop_oneof![
        4 => (0_u32..24, after.clone()).prop_map(|(call, after)| Step::Schedule { call, after }),
        1 => (0_u32..24).prop_map(Step::Cancel),
        2 => (after, 0_usize..30).prop_map(|(after, max)| Step::Expire { after, max }),
        1 => Just(Step::ToNext),
    ];
    proptest::collection::vec(step, 0..300)
}

#[derive(Default)]
struct Model {
    now: u64,
    waiting: BTreeMap<u32, (u64, u32)>,
}

impl Model {
    fn expire(
        &mut self,
        deadlines: &mut Deadlines,
        now: u64,
        max: usize,
    ) -> Result<(), TestCaseError> {
        self.now = now;
        let mut handed = Vec::new();
        let count = deadlines.expire(now, max, |expired| handed.push(expired));
        prop_assert_eq!(count, handed.len());
        let due = self.waiting.values().filter(|(at, _)| *at <= now).count();
        prop_assert_eq!(count, due.min(max));
        let mut last = 0;
        for Expired { call, generation } in handed {
            let Some((at, expected)) = self.waiting.remove(&call) else {
                return Err(TestCaseError::fail("it does not wait"));
            };
            prop_assert!(at <= now);
            prop_assert_eq!(generation, expected);
            prop_assert!(at >= last, "in the order of deadlines");
            last = at;
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn it_does_what_a_sorted_map_does(start in prop_oneof![Just(0_u64), any::<u32>().prop_map(u64::from)], steps in steps()) {
        let mut deadlines = Deadlines::default();
        let mut model = Model::default();
        model.expire(&mut deadlines, start, 0)?;
        for (generation, step) in (0_u32..).zip(steps) {
            match step {
                Step::Schedule { call, after } => {
                    let at = model.now + after;
                    deadlines.schedule(call, generation, at);
                    model.waiting.insert(call, (at.max(model.now), generation));
                }
                Step::Cancel(call) => {
                    prop_assert_eq!(deadlines.cancel(call), model.waiting.remove(&call).is_some());
                }
                Step::Expire { after, max } => {
                    let now = model.now + after;
                    model.expire(&mut deadlines, now, max)?;
                }
                Step::ToNext => if let Some(next) = deadlines.next() {
                    prop_assert!(next >= model.now);
                    model.expire(&mut deadlines, next, usize::MAX)?;
                }
            }
            prop_assert_eq!(deadlines.len(), model.waiting.len());
            let earliest = model.waiting.values().map(|(at, _)| *at).min();
            prop_assert_eq!(deadlines.next().is_some(), earliest.is_some());
            if let (Some(next), Some(earliest)) = (deadlines.next(), earliest) {
                prop_assert!(next <= earliest.max(model.now));
            }
        }
    }
}
