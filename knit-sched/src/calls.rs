//! What the host knows of each call: where it waits, who has taken it. Private memory, by call number.
//!
//! A frame says the number and the generation of its call. Its space is reclaimed some time after the call was answered, when the number may be
//! another call's already: what is noted for an older generation is not believed. Nor is a number that was never handed out, since
//! the frame it is read from lies in shared memory.

use knit_ring::{FrameHeader, Owner};

/// Where a call is, as far as the host has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It was not handed over yet.
    Ahead,
    /// In the backlog.
    Backlog,
    /// It was put into this lane, at this position of the ring. Somebody may have claimed it since.
    Lane(usize, u64),
    /// It waits nowhere: somebody has had it, it was removed, or its number is a later call's.
    Gone,
}

const AHEAD: u16 = u16::MAX - 2;
const BACKLOG: u16 = u16::MAX - 1;
const NOWHERE: u16 = u16::MAX;
const NOBODY: u16 = u16::MAX;

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Of a call in a lane, its position there; of one in the backlog, when it was handed over.
    detail: u64,
    generation: u32,
    lane: u16,
    owner: u16,
}

/// A number of which a higher one was handed over already.
const UNUSED: Entry = Entry {
    detail: 0,
    generation: 0,
    lane: AHEAD,
    owner: NOBODY,
};

/// One entry for each call number in use.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    entries: Vec<Entry>,
}

impl Calls {
    /// A call is handed over under this number, at this time: it waits in the backlog, or will be placed at once. Nobody has it yet.
    #[inline]
    pub(crate) fn expect(&mut self, header: &FrameHeader, time: u64) {
        let index = header.call as usize;
        if index >= self.entries.len() {
            self.grow(index);
        }
        self.entries[index] = Entry {
            detail: time,
            generation: header.generation,
            lane: BACKLOG,
            owner: NOBODY,
        };
    }

    #[cold]
    fn grow(&mut self, index: usize) {
        self.entries.resize(index + 1, UNUSED);
    }

    /// The call was put into a lane.
    #[inline]
    pub(crate) fn placed(&mut self, call: u32, lane: usize, position: u64) {
        let entry = &mut self.entries[call as usize];
        entry.lane = lane as u16;
        entry.detail = position;
    }

    /// The call was taken back from its lane, into the backlog; `handed_over` tells when the call at a position of that lane was. False if its number
    /// is a later call's.
    pub(crate) fn taken_back(
        &mut self,
        header: &FrameHeader,
        handed_over: impl FnOnce(u64) -> u64,
    ) -> bool {
        let entry = self.entry(header);
        entry
            .map(|entry| {
                entry.lane = BACKLOG;
                entry.detail = handed_over(entry.detail);
            })
            .is_some()
    }

    /// The call is to be run by nobody.
    pub(crate) fn removed(&mut self, call: u32) {
        self.entries[call as usize].lane = NOWHERE;
    }

    /// When the call of a frame in the backlog was handed over. None if it is not to be run any more.
    pub(crate) fn waits_since(&self, header: &FrameHeader) -> Option<u64> {
        match self.place(header.call, header.generation) {
            Place::Backlog => Some(self.entries[header.call as usize].detail),
            _ => None,
        }
    }

    pub(crate) fn place(&self, call: u32, generation: u32) -> Place {
        let Some(entry) = self.entries.get(call as usize) else {
            return Place::Ahead;
        };
        // Generations wrap: the nearer way round tells which is later.
        match generation.wrapping_sub(entry.generation) as i32 {
            _ if entry.lane == AHEAD => Place::Ahead,
            1.. => Place::Ahead,
            ..0 => Place::Gone,
            0 if entry.owner != NOBODY => Place::Gone,
            0 => match entry.lane {
                NOWHERE => Place::Gone,
                BACKLOG => Place::Backlog,
                lane => Place::Lane(usize::from(lane), entry.detail),
            },
        }
    }

    /// `owner` has had the frame of this call.
    pub(crate) fn note(&mut self, header: &FrameHeader, owner: Owner) {
        // A frame that the producer took back goes into another lane, or is removed: whoever takes it there is noted there.
        if owner == Owner::PRODUCER {
            return;
        }
        if let Some(entry) = self.entry(header) {
            entry.owner = owner.get();
        }
    }

    /// The calls that `dead` had, which are nobody's from now on.
    pub(crate) fn take_from(&mut self, dead: Owner) -> Vec<u32> {
        let mut taken = Vec::new();
        for (call, entry) in (0_u32..).zip(&mut self.entries) {
            if entry.owner == dead.get() {
                entry.owner = NOBODY;
                entry.lane = NOWHERE;
                taken.push(call);
            }
        }
        taken
    }

    fn entry(&mut self, header: &FrameHeader) -> Option<&mut Entry> {
        self.entries
            .get_mut(header.call as usize)
            .filter(|entry| entry.generation == header.generation && entry.lane != AHEAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(call: u32, generation: u32) -> FrameHeader {
        FrameHeader {
            call,
            generation,
            ..FrameHeader::default()
        }
    }

    #[test]
    fn a_late_note_of_an_older_call_with_the_same_number_is_not_believed() {
        let dead = Owner::new(7).unwrap();
        let mut calls = Calls::default();
        calls.expect(&header(3, 1), 9);
        calls.expect(&header(3, 2), 9);
        calls.note(&header(3, 1), dead);
        assert!(calls.take_from(dead).is_empty());
        calls.note(&header(3, 2), dead);
        assert_eq!(calls.take_from(dead), [3]);
        assert!(calls.take_from(dead).is_empty(), "they are handed out once");
    }

    #[test]
    fn a_number_that_was_never_handed_out_takes_no_memory() {
        let mut calls = Calls::default();
        calls.note(&header(u32::MAX, 0), Owner::new(1).unwrap());
        assert!(!calls.taken_back(&header(u32::MAX, 0), |_| 0));
        assert!(calls.entries.is_empty());
    }

    #[test]
    fn taking_a_frame_back_does_not_hide_who_took_it_then() {
        let dead = Owner::new(7).unwrap();
        let mut calls = Calls::default();
        calls.expect(&header(0, 0), 9);
        calls.note(&header(0, 0), dead);
        calls.note(&header(0, 0), Owner::PRODUCER);
        assert_eq!(calls.take_from(dead), [0]);
    }

    #[test]
    fn a_call_waits_where_it_was_put_last_until_somebody_has_it() {
        let mut calls = Calls::default();
        assert_eq!(calls.place(2, 0), Place::Ahead);
        calls.expect(&header(2, 0), 9);
        assert_eq!(calls.place(2, 0), Place::Backlog);
        assert_eq!(calls.waits_since(&header(2, 0)), Some(9));
        assert_eq!(calls.place(0, 9), Place::Ahead, "a lower number, not used");
        calls.note(&header(0, 0), Owner::new(1).unwrap());
        assert_eq!(calls.place(0, 0), Place::Ahead);
        calls.placed(2, 5, 77);
        assert_eq!(calls.place(2, 0), Place::Lane(5, 77));
        assert!(calls.taken_back(&header(2, 0), |position| position * 2));
        assert_eq!(calls.waits_since(&header(2, 0)), Some(154));
        calls.placed(2, 6, 1);
        calls.note(&header(2, 0), Owner::new(1).unwrap());
        assert_eq!(calls.place(2, 0), Place::Gone);
        assert_eq!(calls.place(2, 1), Place::Ahead);
        calls.expect(&header(2, 1), 9);
        assert_eq!(calls.place(2, 0), Place::Gone);
        calls.removed(2);
        assert_eq!(calls.place(2, 1), Place::Gone);
        assert_eq!(calls.waits_since(&header(2, 1)), None);
    }

    #[test]
    fn later_generations_are_told_from_earlier_ones_where_they_wrap() {
        let mut calls = Calls::default();
        calls.expect(&header(0, u32::MAX), 9);
        assert_eq!(calls.place(0, 0), Place::Ahead);
        calls.expect(&header(0, 0), 9);
        assert_eq!(calls.place(0, u32::MAX), Place::Gone);
    }
}
