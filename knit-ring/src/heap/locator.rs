//! The name of a block, small enough to travel in a frame.
//!
//! A locator is a plain number. Whoever receives one treats it as input: [`BlockView`](super::BlockView) and
//! [`BlockArena`](super::BlockArena) check every part of it before they use it. It holds no right to the block by itself.
//!
//! | bits   | part       | meaning                                                                    |
//! |--------|------------|----------------------------------------------------------------------------|
//! | 0..32  | granule    | where the block starts in its arena's data, in units of 4 KiB              |
//! | 32..48 | generation | which block of all those that have started there; never 0                  |
//! | 48..64 | arena      | whose arena                                                                |

use core::fmt;

/// The name of one block in one arena. Its number is never 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locator(u64);

impl Locator {
    /// The name of the block that started at `granule` of arena `arena` as its `generation`-th.
    #[must_use]
    pub const fn new(arena: u16, generation: u16, granule: u32) -> Self {
        Self((arena as u64) << 48 | (generation as u64) << 32 | granule as u64)
    }

    /// A locator as it came out of a frame; nothing is checked until it is used.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number to put into a frame.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The arena that the block is said to lie in.
    #[must_use]
    pub const fn arena(self) -> u16 {
        (self.0 >> 48) as u16
    }

    /// Which of the blocks that have started at this granule.
    #[must_use]
    pub const fn generation(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// Where the block starts, in granules from the start of the arena's data.
    #[must_use]
    pub const fn granule(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Locator({}:{}#{})",
            self.arena(),
            self.granule(),
            self.generation()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_survives_the_number() {
        for arena in [0, 1, 0x1234, u16::MAX] {
            for generation in [1, 2, 0x8000, u16::MAX] {
                for granule in [0, 1, 0x7fff_ffff, u32::MAX] {
                    let locator = Locator::from_raw(Locator::new(arena, generation, granule).raw());
                    assert_eq!(locator.arena(), arena);
                    assert_eq!(locator.generation(), generation);
                    assert_eq!(locator.granule(), granule);
                }
            }
        }
    }
}
