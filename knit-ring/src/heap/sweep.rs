//! How the owner finds the blocks that came back, without looking at all of them each time.
//!
//! 1. A receiver changes the block's state word, then counts one more in `returns`.
//! 2. The owner looks at outstanding blocks in passes, from low addresses to high ones. Before a pass it notes `returns`; when the
//!    pass is over, every block counted by then has been found. As long as `returns` stays at a number for which a pass is over,
//!    there is nothing to find, and the owner looks at one word and goes on.
//! 3. `alloc` takes a few steps of a pass, which bounds its cost; when room is short it runs whole passes.
//!
//! `returns` is a hint: only that it has changed matters, so a lost or a made-up count does no harm but to make the owner look at
//! blocks in vain, or to leave a block lying until the next one comes back or [`reclaim`](super::BlockArena::reclaim) is called.

use super::arena::Live;
use super::{ArenaMemory, BlockArena};
use core::sync::atomic::Ordering;

/// Blocks that one `alloc` looks at: enough to keep up with one block coming back per block handed out, few enough not to be felt
/// beside writing a block.
const FEW: usize = 16;

/// How far the owner has looked.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// The pass that is under way.
    pass: Option<Pass>,
    /// All blocks that were counted when `returns` was this have been found.
    settled: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Pass {
    /// `returns` when it began.
    returns: u32,
    /// The next granule to look at.
    next: u32,
}

impl Sweep {
    /// Forgets what was found, so that the next pass looks at every block.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }
}

impl<M: ArenaMemory> BlockArena<M> {
    /// Looks at a few blocks.
    pub(super) fn sweep_few(&mut self) {
        self.sweep(FEW);
    }

    /// Looks at every block that may have come back by now; says how many had.
    pub(super) fn sweep_all(&mut self) -> usize {
        // The pass under way may be past a block that came back since: finish it, then make a whole one if there is reason to.
        self.sweep(usize::MAX) + self.sweep(usize::MAX)
    }

    /// Looks at up to `most` blocks of one pass.
    fn sweep(&mut self, most: usize) -> usize {
        let pass = match self.sweep.pass {
            Some(pass) => pass,
            None => {
                // Acquire: pairs with the Release of `count_return` in `give_back`: the words of all that were counted are visible.
                let returns = self.memory.returns(Ordering::Acquire);
                if self.sweep.settled == Some(returns) {
                    return 0;
                }
                Pass { returns, next: 0 }
            }
        };
        let mut looked = 0;
        let mut found = 0;
        let mut next = pass.next;
        while looked < most {
            let Some((granule, block)) = self.first_live_from(next) else {
                self.sweep.pass = None;
                self.sweep.settled = Some(pass.returns);
                return found;
            };
            looked += 1;
            next = granule + 1;
            if self.is_returned(granule, block) {
                self.collect(granule);
                found += 1;
            }
        }
        self.sweep.pass = Some(Pass { next, ..pass });
        found
    }

    fn first_live_from(&self, granule: u32) -> Option<(u32, Live)> {
        let (&granule, &block) = self.live.range(granule..).next()?;
        Some((granule, block))
    }
}
