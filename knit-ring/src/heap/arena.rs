//! The owner's side of an arena: hand blocks out, and find the ones that came back.
//!
//! Which granules belong to which block is kept in the owner's private memory. Shared state words can tell it that a block was
//! given back, and nothing else: whatever a peer writes, two live blocks never overlap. A block whose word was overwritten with
//! nonsense stays outstanding until the owner is told that its holder is gone ([`reclaim_from`](BlockArena::reclaim_from)).

use super::extents::Extent;
use super::space::Space;
use super::sweep::Sweep;
use super::word::{StateWord, granules_for};
use super::{ArenaMemory, Block, GRANULE, HeapError, Locator, MappedArena};
use core::sync::atomic::Ordering;
use knit_shm::Area;
use std::collections::BTreeMap;

/// A block that was handed out, as its owner knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    pub(super) generation: u16,
    pub(super) bytes: u64,
}

impl Live {
    pub(super) const fn word(self) -> StateWord {
        StateWord::live(self.generation, self.bytes)
    }

    pub(super) const fn granules(self) -> u32 {
        // Not more than the arena has, which is at most 2^31.
        granules_for(self.bytes) as u32
    }
}

/// One participant's arena, in the hands of the only one who allocates from it.
#[derive(Debug)]
pub struct BlockArena<M = MappedArena> {
    pub(super) memory: M,
    pub(super) index: u16,
    pub(super) space: Space,
    /// Blocks handed out and not known to be back, by their first granule.
    pub(super) live: BTreeMap<u32, Live>,
    pub(super) touched: u32,
    /// Granules below this keep their pages.
    pub(super) kept: u32,
    pub(super) sweep: Sweep,
}

impl BlockArena {
    /// How large an area must be for an arena with room for `data_bytes` of blocks, rounded up to whole granules.
    ///
    /// # Panics
    /// If that is more than an address space or than 2^31 granules.
    #[must_use]
    pub const fn area_size(data_bytes: usize) -> usize {
        MappedArena::area_size(data_bytes)
    }

    /// Makes the arena numbered `index` in an area that is all zero, as fresh regions are. The area starts at a multiple of 4096.
    ///
    /// # Errors
    /// [`HeapError::BadSize`], [`HeapError::Misaligned`]; [`HeapError::Exists`] if there is one (see [`recover`](Self::recover)).
    pub fn create(area: Area, index: u16) -> Result<Self, HeapError> {
        Ok(Self::over(MappedArena::create(area, index)?, index))
    }

    /// How many owners the arena has had.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.memory.epoch()
    }
}

impl<M: ArenaMemory> BlockArena<M> {
    /// An arena numbered `index` in memory where no block has ever been.
    #[must_use]
    pub fn over(memory: M, index: u16) -> Self {
        let space = Space::new(memory.granules());
        Self {
            memory,
            index,
            space,
            live: BTreeMap::new(),
            touched: 0,
            kept: 0,
            sweep: Sweep::default(),
        }
    }

    /// Hands out a block of `bytes` bytes whose pages are there to be written. What is in it is left over from others.
    ///
    /// Looks at a few outstanding blocks first, to find what came back in the meantime, and at all of them if room is short.
    ///
    /// # Errors
    /// [`HeapError::Full`] if there is no room now; [`HeapError::TooLarge`] if there never is; [`HeapError::Shm`] if the system
    /// has no pages left.
    pub fn alloc(&mut self, bytes: usize) -> Result<Block, HeapError> {
        let bytes = bytes as u64;
        let capacity = self.capacity();
        if bytes > capacity {
            return Err(HeapError::TooLarge { bytes, capacity });
        }
        let granules = granules_for(bytes) as u32;
        self.sweep_few();
        let taken = match self.space.take(granules) {
            Some(taken) => Some(taken),
            None if self.sweep_all() > 0 => self.space.take(granules),
            None => None,
        };
        let (extent, backed) = taken.ok_or_else(|| HeapError::Full {
            bytes,
            free: self.free_bytes(),
        })?;
        if backed < u64::from(granules) {
            self.commit(extent)?;
        }
        if extent.end() > self.touched {
            self.touched = extent.end();
            self.memory.set_touched(self.touched);
        }
        let granule = extent.start;
        let generation = StateWord::next_generation(self.memory.load(granule, Ordering::Relaxed));
        let block = Live { generation, bytes };
        // Receivers need no ordering: the frame that carries the locator publishes this word together with the block's bytes.
        // Release: keeps `touched` before it, so that an owner killed here leaves no live word at or above that mark. Its partner is
        // the notice of that death, after which `recover` reads both.
        self.memory
            .store(granule, block.word().pack(), Ordering::Release);
        self.live.insert(granule, block);
        Ok(self.block(granule, block))
    }

    /// Makes a block shorter, for when its final length was not known at first. Only before its locator is sent.
    ///
    /// # Errors
    /// [`HeapError::NotLive`] if the owner holds no such block, or it is shorter already, or a receiver has it.
    pub fn shrink(&mut self, locator: Locator, bytes: usize) -> Result<Block, HeapError> {
        let (granule, before) = self.find(locator)?;
        let after = Live {
            bytes: bytes as u64,
            ..before
        };
        if after.bytes > before.bytes {
            return Err(HeapError::NotLive(locator));
        }
        // Relaxed: as in `alloc`. A compare-exchange, so that a block that was given back does not come to life again.
        self.memory
            .compare_exchange(
                granule,
                before.word().pack(),
                after.word().pack(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
            .map_err(|_| HeapError::NotLive(locator))?;
        self.live.insert(granule, after);
        self.space
            .put_tail(granule, after.granules(), before.granules());
        Ok(self.block(granule, after))
    }

    /// Takes a block back that nobody else holds: it was never sent, or its receiver is gone.
    ///
    /// # Errors
    /// [`HeapError::NotLive`] if it is not outstanding, [`HeapError::WrongArena`] if it is not from here.
    pub fn free(&mut self, locator: Locator) -> Result<(), HeapError> {
        let (granule, _) = self.find(locator)?;
        self.take_back(granule);
        Ok(())
    }

    /// Whether the block was handed out and is not back.
    #[must_use]
    pub fn is_outstanding(&self, locator: Locator) -> bool {
        self.find(locator)
            .is_ok_and(|(granule, block)| !self.is_returned(granule, block))
    }

    /// Takes back those of `locators` that are still outstanding, and says how many. For a receiver that died: the caller knows which
    /// blocks it was sent. Some it may have given back before; others may not be from here: those are passed over.
    pub fn reclaim_from(&mut self, locators: impl IntoIterator<Item = Locator>) -> usize {
        locators
            .into_iter()
            .filter(|&locator| self.free(locator).is_ok())
            .count()
    }

    /// Looks at every outstanding block, and takes back those that were given back; says how many.
    pub fn reclaim(&mut self) -> usize {
        self.sweep.restart();
        self.sweep_all()
    }

    /// Blocks handed out and not known to be back.
    #[must_use]
    pub fn live_blocks(&self) -> usize {
        self.live.len()
    }

    /// What those take, in whole granules.
    #[must_use]
    pub fn live_bytes(&self) -> u64 {
        self.capacity() - self.free_bytes()
    }

    /// What is free, not necessarily in one piece.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.space.free() * GRANULE
    }

    /// All the room that there is for blocks.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        u64::from(self.memory.granules()) * GRANULE
    }

    /// The arena's number, as it stands in locators.
    #[must_use]
    pub fn index(&self) -> u16 {
        self.index
    }

    /// Has the pages of granules that were just taken set up, or puts the granules back.
    fn commit(&mut self, extent: Extent) -> Result<(), HeapError> {
        self.memory
            .commit(extent.start, extent.len)
            .inspect_err(|_| {
                // Some of the pages may be there now. None of them is counted, so none may stay; what matters more is why not all are.
                let _ = self.memory.release(extent.start, extent.len);
                self.space.put_unbacked(extent);
            })
    }

    /// Whether the locator is of an outstanding block.
    fn find(&self, locator: Locator) -> Result<(u32, Live), HeapError> {
        if locator.arena() != self.index {
            return Err(HeapError::WrongArena {
                locator,
                arena: self.index,
            });
        }
        let granule = locator.granule();
        match self.live.get(&granule) {
            Some(&block) if block.generation == locator.generation() => Ok((granule, block)),
            _ => Err(HeapError::NotLive(locator)),
        }
    }

    /// Takes a block back from whoever has it, whatever its state word says.
    fn take_back(&mut self, granule: u32) {
        if let Some(block) = self.live.remove(&granule) {
            // Acquire: pairs with the Release of `give_back`, if that came first; after this swap a `give_back` fails.
            let _ = self.memory.swap(
                granule,
                StateWord::freed(block.generation).pack(),
                Ordering::Acquire,
            );
            self.space.put_block(granule, block.granules());
        }
    }

    /// Takes a block back that its state word says was given back.
    pub(super) fn collect(&mut self, granule: u32) {
        if let Some(block) = self.live.remove(&granule) {
            // Relaxed: nobody but the owner changes a returned word, and the next block's locator is published with its own frame.
            self.memory.store(
                granule,
                StateWord::freed(block.generation).pack(),
                Ordering::Relaxed,
            );
            self.space.put_block(granule, block.granules());
        }
    }

    /// Whether a block was given back.
    pub(super) fn is_returned(&self, granule: u32, block: Live) -> bool {
        // Acquire: pairs with the Release of `give_back`.
        let word = self.memory.load(granule, Ordering::Acquire);
        word == block.word().returned().pack()
    }

    fn block(&self, granule: u32, block: Live) -> Block {
        let locator = Locator::new(self.index, block.generation, granule);
        Block::new(locator, self.memory.data_offset(), block.bytes as usize)
    }
}
