//! Who has taken which call, as far as the host has seen it: private memory, by call number.
//!
//! A frame says the number and the generation of its call. Its space is reclaimed some time after the call was answered, when the number may be
//! another call's already: what is noted for an older generation is not believed. Nor is a number that was never handed out, since
//! the frame it is read from lies in shared memory.

use knit_ring::{FrameHeader, Owner};

#[derive(Debug, Clone, Copy, Default)]
struct Taker {
    generation: u32,
    owner: Option<Owner>,
}

/// One entry for each call number in use.
#[derive(Debug, Default)]
pub(crate) struct Takers(Vec<Taker>);

impl Takers {
    /// A call is handed over under this number: nobody has it yet.
    pub(crate) fn expect(&mut self, header: &FrameHeader) {
        let index = header.call as usize;
        if index >= self.0.len() {
            self.0.resize(index + 1, Taker::default());
        }
        self.0[index] = Taker {
            generation: header.generation,
            owner: None,
        };
    }

    /// `owner` has had the frame of this call.
    pub(crate) fn note(&mut self, header: &FrameHeader, owner: Owner) {
        // A frame that the producer took back goes into another lane: whoever takes it there is noted there.
        if owner == Owner::PRODUCER {
            return;
        }
        match self.0.get_mut(header.call as usize) {
            Some(taker) if taker.generation == header.generation => taker.owner = Some(owner),
            _ => {}
        }
    }

    /// The calls that `dead` had, which are nobody's from now on.
    pub(crate) fn take_from(&mut self, dead: Owner) -> Vec<u32> {
        let mut taken = Vec::new();
        for (call, taker) in (0_u32..).zip(&mut self.0) {
            if taker.owner == Some(dead) {
                taker.owner = None;
                taken.push(call);
            }
        }
        taken
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
        let mut takers = Takers::default();
        takers.expect(&header(3, 1));
        takers.expect(&header(3, 2));
        takers.note(&header(3, 1), dead);
        assert!(takers.take_from(dead).is_empty());
        takers.note(&header(3, 2), dead);
        assert_eq!(takers.take_from(dead), [3]);
        assert!(
            takers.take_from(dead).is_empty(),
            "they are handed out once"
        );
    }

    #[test]
    fn a_number_that_was_never_handed_out_takes_no_memory() {
        let mut takers = Takers::default();
        takers.note(&header(u32::MAX, 0), Owner::new(1).unwrap());
        assert!(takers.0.is_empty());
    }

    #[test]
    fn taking_a_frame_back_does_not_hide_who_took_it_then() {
        let dead = Owner::new(7).unwrap();
        let mut takers = Takers::default();
        takers.expect(&header(0, 0));
        takers.note(&header(0, 0), dead);
        takers.note(&header(0, 0), Owner::PRODUCER);
        assert_eq!(takers.take_from(dead), [0]);
    }
}
