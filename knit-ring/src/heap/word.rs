//! The state word: everything that the owner and the receivers of a block must agree on, in one word.
//!
//! One word per granule, apart from the data, so that nothing a user sends can look like one. It means something only where a
//! block starts or has started; inside a block it is always free. State, generation and length change together, by one store
//! of the owner or one compare-exchange of a receiver, so no reader ever sees the length of one block with the state of another.
//!
//! | bits   | part       | meaning                                                                     |
//! |--------|------------|-----------------------------------------------------------------------------|
//! | 0..46  | bytes      | the block's exact length in bytes (0 if free)                               |
//! | 46..62 | generation | of the block, or, if free, of the last one that started here (0: none yet)  |
//! | 62..64 | state      | 0 free, 1 live, 2 returned; 3 is never written                              |
//!
//! | from     | to       | by       | how                                          |
//! |----------|----------|----------|----------------------------------------------|
//! | free     | live     | owner    | store, generation + 1                        |
//! | live     | live     | owner    | compare-exchange, fewer bytes (`shrink`)     |
//! | live     | returned | receiver | compare-exchange of the exact word           |
//! | returned | free     | owner    | store, having seen exactly this word         |
//! | any      | free     | owner    | swap (`free`, `reclaim_from`, `recover`)     |

use super::GRANULE;

const BYTES_BITS: u32 = 46;
const BYTES_MASK: u64 = (1 << BYTES_BITS) - 1;
const STATE_SHIFT: u32 = 62;

/// Who may touch the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody but the arena's owner, as part of its free space.
    Free = 0,
    /// The owner until it has sent the locator, then whoever received it.
    Live = 1,
    /// Nobody, until the owner notices.
    Returned = 2,
}

/// A state word, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StateWord {
    pub(super) state: State,
    pub(super) generation: u16,
    pub(super) bytes: u64,
}

impl StateWord {
    /// A live block. `bytes` is at most an arena's largest capacity, which fits.
    pub(super) const fn live(generation: u16, bytes: u64) -> Self {
        debug_assert!(generation != 0 && bytes <= BYTES_MASK);
        Self {
            state: State::Live,
            generation,
            bytes,
        }
    }

    /// The same block, given back.
    pub(super) const fn returned(self) -> Self {
        Self {
            state: State::Returned,
            ..self
        }
    }

    /// What stays when the block is gone: its generation, so that the next block here gets another.
    pub(super) const fn freed(generation: u16) -> Self {
        Self {
            state: State::Free,
            generation,
            bytes: 0,
        }
    }

    pub(super) const fn pack(self) -> u64 {
        (self.state as u64) << STATE_SHIFT | (self.generation as u64) << BYTES_BITS | self.bytes
    }

    /// Takes a word from shared memory apart; `None` for one that no owner and no receiver writes.
    pub(super) const fn unpack(word: u64) -> Option<Self> {
        let state = match word >> STATE_SHIFT {
            0 => State::Free,
            1 => State::Live,
            2 => State::Returned,
            _ => return None,
        };
        let generation = (word >> BYTES_BITS) as u16;
        let bytes = word & BYTES_MASK;
        match state {
            State::Free if bytes != 0 => None,
            State::Live | State::Returned if generation == 0 => None,
            _ => Some(Self {
                state,
                generation,
                bytes,
            }),
        }
    }

    /// The generation of the next block that starts where this free word is.
    pub(super) const fn next_generation(word: u64) -> u16 {
        match ((word >> BYTES_BITS) as u16).wrapping_add(1) {
            0 => 1,
            next => next,
        }
    }
}

/// How many granules `bytes` take: at least one, so that every block has an address of its own.
pub(super) const fn granules_for(bytes: u64) -> u64 {
    if bytes == 0 {
        1
    } else {
        bytes.div_ceil(GRANULE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        for generation in [1, 77, u16::MAX] {
            for bytes in [0, 1, 4096, BYTES_MASK] {
                let live = StateWord::live(generation, bytes);
                assert_eq!(StateWord::unpack(live.pack()), Some(live));
                let returned = live.returned();
                assert_eq!(StateWord::unpack(returned.pack()), Some(returned));
                assert_ne!(live.pack(), returned.pack());
            }
            let freed = StateWord::freed(generation);
            assert_eq!(StateWord::unpack(freed.pack()), Some(freed));
        }
    }

    #[test]
    fn untouched_memory_is_free() {
        assert_eq!(StateWord::unpack(0), Some(StateWord::freed(0)));
    }

    #[test]
    fn words_that_nobody_writes_are_refused() {
        assert_eq!(StateWord::unpack(u64::MAX), None);
        assert_eq!(StateWord::unpack(3 << STATE_SHIFT), None);
        assert_eq!(StateWord::unpack(4096), None, "free with a length");
        assert_eq!(
            StateWord::unpack(1 << STATE_SHIFT | 4096),
            None,
            "live without a generation"
        );
    }

    #[test]
    fn generations_pass_over_zero() {
        assert_eq!(StateWord::next_generation(0), 1);
        let last = StateWord::freed(u16::MAX).pack();
        assert_eq!(StateWord::next_generation(last), 1);
    }

    #[test]
    fn an_empty_block_has_an_address() {
        assert_eq!(granules_for(0), 1);
        assert_eq!(granules_for(1), 1);
        assert_eq!(granules_for(4096), 1);
        assert_eq!(granules_for(4097), 2);
    }
}
