//! A heap of blocks in shared memory, for payloads too large for a frame.
//!
//! Each participant owns one *arena*, and only it hands out blocks from there. Whoever receives a block gives it back by one
//! compare-exchange; the owner notices when it next needs room. No lock is held in shared memory, so nobody's death blocks anybody.
//!
//! # What it guarantees
//!
//! - Two live blocks never overlap, whatever anyone writes into shared memory: the owner's allocator is private.
//! - A locator, true or made up, resolves to memory inside its arena or to an error.
//! - A block is given back once. A second `give_back`, or one with a stale locator, is an error and changes nothing, until 65 534 other
//!   blocks have started at the same place: by then the generation has come round.
//! - Every block given back can be handed out again, and adjacent ones as one.
//!
//! What it does not: a receiver can write into its block while the owner or others look, and can keep it for ever. Bytes of earlier blocks
//! are not cleared. Who holds which block is for the layer above to know, which needs it when a receiver dies.
//!
//! # A block's life
//!
//! 1. The owner calls [`BlockArena::alloc`], writes the bytes, may [`shrink`](BlockArena::shrink) it, and sends the [`Locator`] in a frame.
//! 2. The receiver calls [`BlockView::resolve`], copies or shows the bytes, and when it is done [`BlockView::give_back`].
//! 3. The owner finds it at one of its next `alloc`s (or `reclaim`, `settle`, `trim`), and its space is free.
//!
//! If the receiver dies, the owner is told which locators it was sent, and takes them back with [`BlockArena::reclaim_from`]. If the owner
//! dies, somebody takes over its arena with [`BlockArena::recover`]; blocks that others hold stay valid.
//!
//! # Layout and protocol
//!
//! The bytes of an arena are drawn in `mapped.rs`, the state word and its transitions in `word.rs`, and how the owner finds what came
//! back in `sweep.rs`. The protocol stands on any [`ArenaMemory`]; `tests/loom_heap.rs` runs it on a model checker.
//!
//! # Sources
//!
//! Best fit with immediate coalescing, lowest address first: Wilson, Johnstone, Neely, Boles, "Dynamic Storage Allocation: A Survey and
//! Critical Review" (1995), sections 3.4 and 4. That only the owner frees, and others leave a mark, is the idea of mimalloc's and
//! snmalloc's remote frees, with a mark per block in place of a list so that a peer's bytes are never followed as a pointer.

mod arena;
mod error;
mod extents;
mod locator;
mod mapped;
mod memory;
mod recover;
mod space;
mod sweep;
#[cfg(test)]
mod tests;
mod trim;
mod view;
mod word;

pub use arena::BlockArena;
pub use error::HeapError;
pub use locator::Locator;
pub use mapped::MappedArena;
pub use memory::ArenaMemory;
pub use trim::{HIGH_WATER, KEEP};
pub use view::BlockView;

/// Blocks start at multiples of this many bytes from the start of the arena's data.
pub const GRANULE: u64 = 4096;

/// A block: its name, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// What to send, and what to give back.
    pub locator: Locator,
    /// Where its bytes start, from the start of the region.
    pub offset: usize,
    /// How many bytes it has.
    pub len: usize,
}
