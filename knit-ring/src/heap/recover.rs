//! Taking over an arena whose owner died.
//!
//! What the dead owner knew is in its state words: which blocks are live, and how long they are. The new owner reads them once, checks
//! that they describe blocks that can be (inside the arena, one after the other), and goes on from there. Blocks that somebody still
//! holds stay where they are, so nobody has to wait for them; all others are free at once, also those that came back and those that the
//! dead owner had not sent yet. Generations go on, so that a locator of a freed block is never taken for a new one.

use super::arena::Live;
use super::extents::Extent;
use super::space::Space;
use super::sweep::Sweep;
use super::word::{State, StateWord, granules_for};
use super::{ArenaMemory, BlockArena, HeapError, Locator, MappedArena};
use core::sync::atomic::Ordering;
use knit_shm::Area;
use std::collections::BTreeMap;

impl BlockArena {
    /// Takes over the arena numbered `index` under a new epoch. The old owner must be known to be dead: an arena has one owner.
    ///
    /// `keep` says of each live block whether somebody holds it; if not, it is freed. Receivers may go on giving blocks back meanwhile.
    ///
    /// # Errors
    /// As [`BlockView::open`](super::BlockView::open); [`HeapError::Corrupt`] if the state words contradict each other: nobody can
    /// tell any more which memory is in use, so the arena must be left alone.
    pub fn recover(
        area: Area,
        index: u16,
        keep: impl FnMut(Locator) -> bool,
    ) -> Result<Self, HeapError> {
        let arena = Self::recover_over(MappedArena::open(area, index)?, index, keep)?;
        arena.memory.next_epoch();
        Ok(arena)
    }
}

impl<M: ArenaMemory> BlockArena<M> {
    /// Takes over the arena numbered `index` in `memory`.
    ///
    /// # Errors
    /// [`HeapError::Corrupt`] if the state words contradict each other.
    pub fn recover_over(
        memory: M,
        index: u16,
        mut keep: impl FnMut(Locator) -> bool,
    ) -> Result<Self, HeapError> {
        let touched = memory.touched().min(memory.granules());
        let kept = memory.kept().min(memory.granules());
        let found = read_blocks(&memory, touched)?;
        let mut live = BTreeMap::new();
        for (granule, state, block) in found {
            let locator = Locator::new(index, block.generation, granule);
            if state == State::Live && keep(locator) {
                live.insert(granule, block);
            } else {
                // Acquire: pairs with the Release of `give_back`; after this swap a `give_back` fails.
                let freed = StateWord::freed(block.generation).pack();
                let _ = memory.swap(granule, freed, Ordering::Acquire);
            }
        }
        let used = live
            .iter()
            .map(|(&granule, block): (&u32, &Live)| Extent::new(granule, block.granules()));
        let space = Space::around(memory.granules(), touched, used);
        Ok(Self {
            memory,
            index,
            space,
            live,
            touched,
            kept,
            sweep: Sweep::default(),
        })
    }
}

/// Every block below `touched` that is not free, checked against each other, before anything is changed.
fn read_blocks<M: ArenaMemory>(
    memory: &M,
    touched: u32,
) -> Result<Vec<(u32, State, Live)>, HeapError> {
    let mut found = Vec::new();
    let mut free_from = 0;
    for granule in 0..touched {
        // Relaxed: the dead owner's stores are ordered by the notice of its death; what receivers do meanwhile, by the swap later.
        let word = StateWord::unpack(memory.load(granule, Ordering::Relaxed))
            .ok_or(HeapError::Corrupt { granule })?;
        if word.state == State::Free {
            continue;
        }
        let end = u64::from(granule) + granules_for(word.bytes);
        if granule < free_from || end > u64::from(touched) {
            return Err(HeapError::Corrupt { granule });
        }
        // At most `touched`, so it fits.
        free_from = end as u32;
        let block = Live {
            generation: word.generation,
            bytes: word.bytes,
        };
        found.push((granule, word.state, block));
    }
    Ok(found)
}
