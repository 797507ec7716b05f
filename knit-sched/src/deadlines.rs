//! Deadlines of calls: a hierarchical timing wheel, so that one timer serves however many wait.
//!
//! It guarantees: a call is handed out once, not before its deadline, in the order of deadlines, at the first [`Deadlines::expire`] at or after
//! it that has room; a call that was cancelled or scheduled anew is not handed out for its former deadline. It knows no clock: time is a
//! number of ticks that its user counts. It does not wake anybody.
//!
//! # Layout
//!
//! Eleven levels of 64 slots; a slot of level *n* spans 64^*n* ticks, so every u64 has a place. Each slot is a doubly linked list
//! through the entries, which are indexed by call number: no allocation per deadline, and a cancelled call is found at once.
//!
//! An entry's level is that of the highest base-64 digit in which its deadline differs from the present, its slot is that digit. Hence:
//! - all entries of a level are earlier than all of a higher one, and within a level lower slots are earlier;
//! - a slot keeps its place while time passes, until the present reaches its start: then its entries move to lower levels.
//!
//! Every operation is O(1), but for those moves: at most ten in the life of an entry, mostly one or two.
//!
//! Source: Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987, scheme 7; levels by the highest differing digit as in Linux and
//! tokio.

const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = 64_usize.div_ceil(DIGIT_BITS as usize);
/// The list of what is due and not handed out yet.
const DUE: u16 = (LEVELS * SLOTS) as u16;
/// In no list.
const NOWHERE: u16 = u16::MAX;
const NONE: u32 = u32::MAX;

/// A call whose deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    /// Its number.
    pub call: u32,
    /// The generation that it was scheduled with.
    pub generation: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    at: u64,
    generation: u32,
    next: u32,
    previous: u32,
    list: u16,
}

const UNUSED: Entry = Entry {
    at: 0,
    generation: 0,
    next: NONE,
    previous: NONE,
    list: NOWHERE,
};

#[derive(Debug, Clone, Copy)]
struct List {
    first: u32,
    last: u32,
    /// No entry is earlier. May be too early after one was cancelled; never earlier than the slot's start.
    earliest: u64,
}

const EMPTY: List = List {
    first: NONE,
    last: NONE,
    earliest: u64::MAX,
};

/// Deadlines by call number.
#[derive(Debug)]
pub struct Deadlines {
    now: u64,
    entries: Vec<Entry>,
    lists: Box<[List]>,
    /// One bit a slot: whether it has entries.
    occupied: [u64; LEVELS],
    len: usize,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            now: 0,
            entries: Vec::new(),
            lists: vec![EMPTY; LEVELS * SLOTS + 1].into_boxed_slice(),
            occupied: [0; LEVELS],
            len: 0,
        }
    }
}

impl Deadlines {
    /// How many calls wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Gives a call a deadline, in place of the one it may have. One that has passed is handed out next.
    pub fn schedule(&mut self, call: u32, generation: u32, at: u64) {
        self.cancel(call);
        let index = call as usize;
        if index >= self.entries.len() {
            self.entries.resize(index + 1, UNUSED);
        }
        let entry = &mut self.entries[index];
        entry.at = at;
        entry.generation = generation;
        self.append(call, self.list_for(at));
        self.len += 1;
    }

    /// Takes a call's deadline away. False if it has none.
    pub fn cancel(&mut self, call: u32) -> bool {
        let waits = self
            .entries
            .get(call as usize)
            .is_some_and(|entry| entry.list != NOWHERE);
        if waits {
            self.remove(call);
            self.len -= 1;
        }
        waits
    }

    /// A tick before which nothing expires, and at which mostly something does; the last [`Deadlines::expire`]'s if something is due already.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        if self.lists[usize::from(DUE)].first != NONE {
            return Some(self.now);
        }
        Some(self.lists[self.first_slot()?].earliest)
    }

    /// Lets time pass until `now` and hands out what is due, at most `max` calls: whatever is beyond comes the next time.
    pub fn expire(&mut self, now: u64, max: usize, mut on: impl FnMut(Expired)) -> usize {
        self.advance(now.max(self.now));
        let mut handed = 0;
        while handed < max {
            let call = self.lists[usize::from(DUE)].first;
            if call == NONE {
                break;
            }
            self.remove(call);
            self.len -= 1;
            handed += 1;
            let Entry { generation, .. } = self.entries[call as usize];
            on(Expired { call, generation });
        }
        handed
    }

    /// Moves every entry that is due by `now` to the list of what is due.
    fn advance(&mut self, now: u64) {
        while let Some(list) = self.first_slot() {
            let start = self.start_of(list);
            if start > now {
                break;
            }
            self.now = start;
            let mut call = self.lists[list].first;
            self.lists[list] = EMPTY;
            self.occupied[list / SLOTS] &= !(1 << (list % SLOTS));
            while call != NONE {
                let entry = self.entries[call as usize];
                self.append(call, self.list_for(entry.at));
                call = entry.next;
            }
        }
        self.now = now;
    }

    /// The slot of the earliest entries.
    fn first_slot(&self) -> Option<usize> {
        let level = self.occupied.iter().position(|slots| *slots != 0)?;
        Some(level * SLOTS + self.occupied[level].trailing_zeros() as usize)
    }

    /// The tick at which a slot begins: the present, with the slot's digit and zeros below it.
    fn start_of(&self, list: usize) -> u64 {
        let shift = (list / SLOTS) as u32 * DIGIT_BITS;
        let digit = (list % SLOTS) as u64;
        let above = self.now.checked_shr(shift + DIGIT_BITS).unwrap_or(0);
        above.checked_shl(shift + DIGIT_BITS).unwrap_or(0) | digit << shift
    }

    fn list_for(&self, at: u64) -> u16 {
        if at <= self.now {
            return DUE;
        }
        let level = (self.now ^ at).ilog2() / DIGIT_BITS;
        let digit = (at >> (level * DIGIT_BITS)) as usize % SLOTS;
        (level as usize * SLOTS + digit) as u16
    }

    fn append(&mut self, call: u32, list: u16) {
        let slot = usize::from(list);
        let last = self.lists[slot].last;
        let entry = &mut self.entries[call as usize];
        entry.list = list;
        entry.previous = last;
        entry.next = NONE;
        let at = entry.at;
        let head = &mut self.lists[slot];
        head.last = call;
        head.earliest = head.earliest.min(at);
        match last {
            NONE => head.first = call,
            last => self.entries[last as usize].next = call,
        }
        if list != DUE {
            self.occupied[slot / SLOTS] |= 1 << (slot % SLOTS);
        }
    }

    fn remove(&mut self, call: u32) {
        let Entry {
            next,
            previous,
            list,
            ..
        } = self.entries[call as usize];
        self.entries[call as usize].list = NOWHERE;
        let slot = usize::from(list);
        match previous {
            NONE => self.lists[slot].first = next,
            previous => self.entries[previous as usize].next = next,
        }
        match next {
            NONE => self.lists[slot].last = previous,
            next => self.entries[next as usize].previous = previous,
        }
        if self.lists[slot].first == NONE {
            self.lists[slot] = EMPTY;
            if list != DUE {
                self.occupied[slot / SLOTS] &= !(1 << (slot % SLOTS));
            }
        }
    }
}

#[cfg(test)]
mod tests {
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
}
