//! What an arena's protocol needs of the memory it lies in.
//!
//! [`MappedArena`](super::MappedArena) is the one that programs use: words in a region. Models put the same words on a model checker's
//! atomics, and the protocol above runs on them unchanged.

use super::HeapError;
use core::sync::atomic::Ordering;

/// The shared words of one arena, and the pages of its data.
///
/// A `granule` given to any of these is below [`granules`](Self::granules).
pub trait ArenaMemory {
    /// How many granules of data there are, at most 2^31.
    fn granules(&self) -> u32;
    /// Where the data starts, in bytes from the start of the region.
    fn data_offset(&self) -> usize;

    /// Loads a granule's state word.
    fn load(&self, granule: u32, order: Ordering) -> u64;
    /// Stores a granule's state word.
    fn store(&self, granule: u32, word: u64, order: Ordering);
    /// Exchanges a granule's state word for another.
    fn swap(&self, granule: u32, word: u64, order: Ordering) -> u64;
    /// Exchanges a granule's state word if it is `current`.
    ///
    /// # Errors
    /// The word that was there instead.
    fn compare_exchange(
        &self,
        granule: u32,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64>;

    /// Loads the number of blocks given back so far, modulo 2^32.
    fn returns(&self, order: Ordering) -> u32;
    /// Counts one more block given back.
    fn count_return(&self, order: Ordering);

    /// The first granule that no block has ever reached, and that was not set up beforehand. What it says is a hint to whoever is not the owner.
    fn touched(&self) -> u32;
    /// Moves that mark.
    fn set_touched(&self, granule: u32);

    /// How many of the lowest granules keep their pages, whoever owns the arena.
    fn kept(&self) -> u32;
    /// Says how many do.
    fn set_kept(&self, granules: u32);

    /// Makes sure that `len` granules can be written without a fault.
    ///
    /// # Errors
    /// [`HeapError::Shm`] if the system has no pages.
    fn commit(&self, granule: u32, len: u32) -> Result<(), HeapError>;
    /// Gives the pages of `len` granules back to the system; what was in them is gone.
    ///
    /// # Errors
    /// [`HeapError::Shm`] if the system refuses.
    fn release(&self, granule: u32, len: u32) -> Result<(), HeapError>;
}
