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
    position: u64,
    generation: u32,
    lane: u16,
    owner: u16,
}

/// A number of which a higher one was handed over already.
const UNUSED: Entry = Entry {
    position: 0,
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
    /// A call is handed over under this number: it waits in the backlog, or will be placed at once. Nobody has it yet.
    pub(crate) fn expect(&mut self, header: &FrameHeader) {
        let index = header.call as usize;
        if index >= self.entries.len() {
            self.entries.resize(index + 1, UNUSED);
        }
        self.entries[index] = Entry {
            position: 0,
            generation: header.generation,
            lane: BACKLOG,
            owner: NOBODY,
        };
    }

    /// The call was put into a lane.
    pub(crate) fn placed(&mut self, call: u32, lane: usize, position: u64) {
        let entry = &mut self.entries[call as usize];
        entry.lane = lane as u16;
        entry.position = position;
    }

    /// The call was taken back from its lane, into the backlog. False if its number is a later call's.
    pub(crate) fn taken_back(&mut self, header: &FrameHeader) -> bool {
        let entry = self.entry(header);
        entry.map(|entry| entry.lane = BACKLOG).is_some()
    }

    /// The call is to be run by nobody.
    pub(crate) fn removed(&mut self, call: u32) {
        self.entries[call as usize].lane = NOWHERE;
    }

    /// Whether the call of a frame in the backlog is still to be run.
    pub(crate) fn waits(&self, header: &FrameHeader) -> bool {
        self.place(header.call, header.generation) == Place::Backlog
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
                lane => Place::Lane(usize::from(lane), entry.position),
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
        calls.expect(&header(3, 1));
        calls.expect(&header(3, 2));
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
        assert!(!calls.taken_back(&header(u32::MAX, 0)));
        assert!(calls.entries.is_empty());
    }

    #[test]
    fn taking_a_frame_back_does_not_hide_who_took_it_then() {
        let dead = Owner::new(7).unwrap();
        let mut calls = Calls::default();
        calls.expect(&header(0, 0));
        calls.note(&header(0, 0), dead);
        calls.note(&header(0, 0), Owner::PRODUCER);
        assert_eq!(calls.take_from(dead), [0]);
    }

    #[test]
    fn a_call_waits_where_it_was_put_last_until_somebody_has_it() {
        let mut calls = Calls::default();
        assert_eq!(calls.place(2, 0), Place::Ahead);
        calls.expect(&header(2, 0));
        assert_eq!(calls.place(2, 0), Place::Backlog);
        assert_eq!(calls.place(0, 9), Place::Ahead, "a lower number, not used");
        calls.note(&header(0, 0), Owner::new(1).unwrap());
        assert_eq!(calls.place(0, 0), Place::Ahead);
        calls.placed(2, 5, 77);
        assert_eq!(calls.place(2, 0), Place::Lane(5, 77));
        assert!(calls.taken_back(&header(2, 0)));
        assert!(calls.waits(&header(2, 0)));
        calls.placed(2, 6, 1);
        calls.note(&header(2, 0), Owner::new(1).unwrap());
        assert_eq!(calls.place(2, 0), Place::Gone);
        assert_eq!(calls.place(2, 1), Place::Ahead);
        calls.expect(&header(2, 1));
        assert_eq!(calls.place(2, 0), Place::Gone);
        calls.removed(2);
        assert_eq!(calls.place(2, 1), Place::Gone);
        assert!(!calls.waits(&header(2, 1)));
    }

    #[test]
    fn later_generations_are_told_from_earlier_ones_where_they_wrap() {
        let mut calls = Calls::default();
        calls.expect(&header(0, u32::MAX));
        assert_eq!(calls.place(0, 0), Place::Ahead);
        calls.expect(&header(0, 0));
        assert_eq!(calls.place(0, u32::MAX), Place::Gone);
    }
}
