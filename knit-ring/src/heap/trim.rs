//! Giving pages back after a burst.
//!
//! Free granules keep their pages, since the next block finds them warm: writing to fresh pages costs several times as much. So
//! `alloc` and `free` never release anything. The owner calls [`settle`](BlockArena::settle) when it is about to sleep: if more than
//! [`HIGH_WATER`] bytes of free pages are there, all above the lowest [`KEEP`] go back. An owner that never sleeps keeps its peak, which
//! the arena's size bounds. [`trim`](BlockArena::trim) gives everything back. Neither touches what [`reserve`](BlockArena::reserve) has set up.

use super::{ArenaMemory, BlockArena, GRANULE, HeapError};

/// Free bytes with pages above which [`BlockArena::settle`] gives pages back.
pub const HIGH_WATER: u64 = 64 << 20;
/// Free bytes with pages that [`BlockArena::settle`] leaves then, those with the lowest addresses.
pub const KEEP: u64 = 16 << 20;

impl<M: ArenaMemory> BlockArena<M> {
    /// Takes back what was given back, and releases pages if there are many free ones; says how many bytes were released. For when the
    /// owner has nothing else to do. Costs one load if nothing has changed since the last time.
    ///
    /// # Errors
    /// [`HeapError::Shm`] if the system refuses; nothing is lost by it.
    pub fn settle(&mut self) -> Result<u64, HeapError> {
        self.sweep_all();
        if self.backed_free_bytes() > HIGH_WATER {
            self.release_down_to(KEEP)
        } else {
            Ok(0)
        }
    }

    /// Takes back what was given back, and releases the pages of all free space; says how many bytes.
    ///
    /// # Errors
    /// [`HeapError::Shm`] if the system refuses; nothing is lost by it.
    pub fn trim(&mut self) -> Result<u64, HeapError> {
        self.reclaim();
        self.release_down_to(0)
    }

    /// Has the pages of the lowest `bytes` set up now, and keeps them, also under later owners. Blocks go to low addresses first, so these are the
    /// pages that are used first. More than there is means all.
    ///
    /// # Errors
    /// [`HeapError::Shm`] if the system has no pages left; some may be set up then.
    pub fn reserve(&mut self, bytes: u64) -> Result<(), HeapError> {
        let most = u64::from(self.memory.granules());
        // Not more than `most`, so it fits.
        let kept = bytes.div_ceil(GRANULE).min(most) as u32;
        if kept == 0 {
            return Ok(());
        }
        self.memory.commit(0, kept)?;
        let mut from = 0;
        for (&granule, block) in self.live.range(..kept) {
            self.space.back(from, granule);
            from = granule + block.granules();
        }
        self.space.back(from, kept);
        if kept > self.touched {
            self.touched = kept;
            self.memory.set_touched(kept);
        }
        self.kept = kept;
        self.memory.set_kept(kept);
        Ok(())
    }

    /// Free bytes that still have pages.
    #[must_use]
    pub fn backed_free_bytes(&self) -> u64 {
        self.space.backed() * GRANULE
    }

    fn release_down_to(&mut self, keep: u64) -> Result<u64, HeapError> {
        let keep = keep / GRANULE;
        let mut released = 0;
        while self.space.backed() > keep {
            let surplus = u32::try_from(self.space.backed() - keep).unwrap_or(u32::MAX);
            let Some(extent) = self.space.unback_highest(surplus, self.kept) else {
                break;
            };
            if let Err(error) = self.memory.release(extent.start, extent.len) {
                self.space.back_again(extent);
                return Err(error);
            }
            released += u64::from(extent.len) * GRANULE;
        }
        Ok(released)
    }
}
