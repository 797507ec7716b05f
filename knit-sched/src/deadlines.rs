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
mod tests;
