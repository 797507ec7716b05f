//! The state word of a frame: all that participants agree on about it, in one u64, so that one compare-exchange moves it.
//!
//! | bits | content |
//! |---|---|
//! | 0..32 | the low half of the frame's position: its generation, as a slot is reused only `capacity` granules later |
//! | 32..48 | its length in granules |
//! | 48..52 | its state |
//! | 52..64 | its owner, once there is one |
//!
//! ```text
//!            push              claim                 release, recover
//!   (reused) ----> READY|len ----------> CLAIMED|owner -------------> RELEASED|owner ---> (reclaimed)
//!            pad                   producer takes it back ------------^
//!            ----> PAD|len ----------------------------------------------------------------^
//! ```
//! Nothing ever returns to READY, so a consumer that has seen a frame taken need never look at it again.

/// Who has a frame: a number below 4096 that the ring's users hand out. A participant that is replaced after a death
/// gets a number that its predecessor did not have, so that a late write of the predecessor is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner(u16);

impl Owner {
    /// The ring's own producer, when it takes frames back.
    pub const PRODUCER: Owner = Owner(0xFFF);

    /// An owner, if `number` is below [`Owner::PRODUCER`]'s.
    pub const fn new(number: u16) -> Result<Owner, crate::RingError> {
        if number < Self::PRODUCER.0 {
            Ok(Owner(number))
        } else {
            Err(crate::RingError::BadOwner(number))
        }
    }

    /// Its number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// Never used: what zeroed memory says.
    Free = 0,
    Ready = 1,
    Claimed = 2,
    Released = 3,
    Pad = 4,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub u64);

impl Word {
    const fn new(position: u64, granules: u32, state: State, owner: u16) -> Word {
        debug_assert!(granules > 0 && granules <= u16::MAX as u32);
        let (state, owner) = (state as u64, owner as u64);
        Word((position as u32 as u64) | (granules as u64) << 32 | state << 48 | owner << 52)
    }

    pub(crate) const fn ready(position: u64, granules: u32) -> Word {
        Self::new(position, granules, State::Ready, 0)
    }

    pub(crate) const fn pad(position: u64, granules: u32) -> Word {
        Self::new(position, granules, State::Pad, 0)
    }

    pub(crate) const fn claimed(position: u64, granules: u32, owner: Owner) -> Word {
        Self::new(position, granules, State::Claimed, owner.0)
    }

    pub(crate) const fn released(position: u64, granules: u32, owner: Owner) -> Word {
        Self::new(position, granules, State::Released, owner.0)
    }

    /// Whether this word is about the frame at `position`, and not about one that had its slot before or after.
    pub(crate) const fn is_at(self, position: u64) -> bool {
        self.0 as u32 == position as u32
    }

    pub(crate) const fn granules(self) -> u32 {
        (self.0 >> 32) as u16 as u32
    }

    pub(crate) const fn owner(self) -> Owner {
        Owner((self.0 >> 52) as u16)
    }

    /// `None` for the values that no version of the protocol writes.
    pub(crate) const fn state(self) -> Option<State> {
        match (self.0 >> 48) & 0xF {
            0 => Some(State::Free),
            1 => Some(State::Ready),
            2 => Some(State::Claimed),
            3 => Some(State::Released),
            4 => Some(State::Pad),
            _ => None,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_field_survives_packing_at_its_extremes() {
        let owner = Owner::new(0xFFE).unwrap();
        let word = Word::claimed(0x1_FFFF_FFFF, 0xFFFF, owner);
        assert!(word.is_at(0xFFFF_FFFF));
        assert!(!word.is_at(0xFFFF_FFFE));
        assert_eq!(word.granules(), 0xFFFF);
        assert_eq!(word.state(), Some(State::Claimed));
        assert_eq!(word.owner(), owner);
    }

    #[test]
    fn unknown_states_are_not_taken_for_known_ones() {
        for bits in 5..16_u64 {
            assert_eq!(Word(bits << 48).state(), None);
        }
    }

    #[test]
    fn the_producers_number_is_not_given_to_anyone() {
        assert!(Owner::new(0xFFE).is_ok());
        assert_eq!(Owner::new(0xFFF).unwrap_err().code(), "RING_BAD_OWNER");
        assert_eq!(Owner::new(u16::MAX).unwrap_err().code(), "RING_BAD_OWNER");
    }
}
