//! Everyone's side of an arena: find a block by its locator, and give it back.
//!
//! Nothing of what it is told is believed. A locator may be made up, stale, or another arena's; a state word may have been
//! overwritten by a peer. What [`resolve`](BlockView::resolve) returns lies inside the arena's data whatever is in shared memory.
//! It does not vouch for the block's bytes: whoever can map the region can write them at any time, so copy first, then check.
//!
//! May be used from any number of threads and processes at once.

use super::word::{State, StateWord, granules_for};
use super::{ArenaMemory, Block, GRANULE, HeapError, Locator, MappedArena};
use core::sync::atomic::Ordering;
use knit_shm::Area;

/// A look at somebody's arena.
#[derive(Clone, Debug)]
pub struct BlockView<M = MappedArena> {
    memory: M,
    arena: u16,
}

impl BlockView {
    /// Opens the arena numbered `arena` that its owner has made in `area`.
    ///
    /// # Errors
    /// [`HeapError::BadSize`], [`HeapError::Misaligned`] and [`HeapError::BadHeader`] if the area holds no such arena.
    pub fn open(area: Area, arena: u16) -> Result<Self, HeapError> {
        Ok(Self::over(MappedArena::open(area, arena)?, arena))
    }

    /// How many owners the arena has had: it changes when it is recovered after an owner's death.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.memory.epoch()
    }
}

impl<M: ArenaMemory> BlockView<M> {
    /// A view on memory that holds the arena numbered `arena`.
    #[must_use]
    pub fn over(memory: M, arena: u16) -> Self {
        Self { memory, arena }
    }

    /// Where the block lies and how long it is.
    ///
    /// # Errors
    /// [`HeapError::WrongArena`], [`HeapError::OutOfRange`], [`HeapError::NotLive`] if the locator names no block that somebody
    /// holds; [`HeapError::Corrupt`] if its state word makes no sense.
    pub fn resolve(&self, locator: Locator) -> Result<Block, HeapError> {
        let word = self.look_up(locator)?;
        Ok(Block::new(
            locator,
            self.memory.data_offset(),
            word.bytes as usize,
        ))
    }

    /// Gives the block back to its owner: one compare-exchange. The caller does not look at the block's bytes any more.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve); so giving a block back a second time is an error and changes nothing.
    pub fn give_back(&self, locator: Locator) -> Result<(), HeapError> {
        let word = self.look_up(locator)?;
        // Release: pairs with the Acquire of the owner's `sweep` and `free`, so that what the receiver did with the block is over before
        // the owner hands it out again. A failure means that somebody else returned or freed it just now.
        self.memory
            .compare_exchange(
                locator.granule(),
                word.pack(),
                word.returned().pack(),
                Ordering::Release,
                Ordering::Relaxed,
            )
            .map_err(|_| HeapError::NotLive(locator))?;
        // Release: pairs with the Acquire of `returns` in the owner's `sweep`, which then finds the word above. Only a hint that
        // something came back: a death between the two delays the block until the next one comes back, or `reclaim`.
        self.memory.count_return(Ordering::Release);
        Ok(())
    }

    /// How many blocks of this arena somebody holds. Costs a look at every granule that was ever used; exact if nobody allocates or
    /// gives back meanwhile.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        let touched = self.memory.touched().min(self.memory.granules());
        (0..touched)
            .filter_map(|granule| StateWord::unpack(self.memory.load(granule, Ordering::Relaxed)))
            .filter(|word| word.state == State::Live)
            .count()
    }

    /// The state word of a live block, every part of it checked against the locator and the arena.
    fn look_up(&self, locator: Locator) -> Result<StateWord, HeapError> {
        if locator.arena() != self.arena {
            return Err(HeapError::WrongArena {
                locator,
                arena: self.arena,
            });
        }
        let granule = locator.granule();
        let granules = self.memory.granules();
        if granule >= granules {
            return Err(HeapError::OutOfRange(locator));
        }
        // Relaxed: the frame that carried the locator was published after the word was stored.
        let word = StateWord::unpack(self.memory.load(granule, Ordering::Relaxed))
            .ok_or(HeapError::Corrupt { granule })?;
        if word.state != State::Live || word.generation != locator.generation() {
            return Err(HeapError::NotLive(locator));
        }
        if granules_for(word.bytes) > u64::from(granules - granule) {
            return Err(HeapError::Corrupt { granule });
        }
        Ok(word)
    }
}

impl Block {
    /// `data` is where the arena's data starts; the block's range was checked.
    pub(super) fn new(locator: Locator, data: usize, len: usize) -> Self {
        Self {
            locator,
            offset: data + locator.granule() as usize * GRANULE as usize,
            len,
        }
    }
}
