//! A bounded ring of variable-length frames: one producer, any number of consumers that claim from it.
//!
//! It guarantees: every published frame is claimed at most once; it is claimed in the order of publication as far as
//! one consumer can see; what a consumer reads of a frame it has claimed is what was pushed; frames of a consumer that
//! died are known to the producer; no participant ever waits for another, and none holds a lock. It does not
//! guarantee: fairness between consumers, that a frame's space comes back before the frames ahead of it are released,
//! or that a consumer which was taken for dead and lives on reads what was pushed (its release is refused, though).
//!
//! # Layout
//! The table is in [`crate::layout`]. Positions count granules of 32 bytes from the ring's creation, in u64, and never
//! wrap in practice; the slot of a position is its low bits. For each slot there is an entry *outside* the data, so
//! that nothing a user sends can look like one: the state word (see `word.rs`) and a hint, both meaningful where a frame
//! starts. The hint repeats `function`, `kind`, `flags` and `call` of the header in one atomic word: a consumer that
//! only looks must not touch the frame's bytes, which may meanwhile be someone else's, or be overwritten.
//!
//! ```text
//!        head             cursor            tail       (written)
//!   ------|-----------------|-----------------|------------|------
//!   free  | claimed,        | ready, claimed, | pushed, not | free
//!         | released, pads  | released, pads  | published   |
//! ```
//!
//! # Protocol
//! 1. Push: the producer writes the bytes, the hint, then the state word READY, in space it has reclaimed. A frame that
//!    would cross the ring's end is preceded by a PAD entry that reaches to it.
//! 2. Publish: `tail` is stored with Release.
//! 3. Claim: the consumer loads `tail` with Acquire and walks from `cursor` by the state words' lengths. READY: it
//!    compares and exchanges the exact word for CLAIMED with its number; then the bytes are its own. Anything else is
//!    stepped over. A word about another position means that the cursor it read was old: it goes on from `head`.
//!    At last it raises `cursor` to where it got.
//! 4. Release: a compare-exchange from its exact CLAIMED word to RELEASED, with Release.
//! 5. Reclaim: the producer moves `head` over RELEASED (Acquire) and PAD entries.
//! 6. Recover: the producer moves CLAIMED words of a dead owner to RELEASED.
//! 7. Take back: the producer compares and exchanges the exact READY word for RELEASED with its own number. A claim was faster, or never is.
//!
//! # Invariants
//! - Only the producer writes entries and bytes of space that is not between `head` and `tail`.
//! - No frame in `[head, cursor)` is READY, and `head <= cursor` before `head` is stored. READY is never entered twice.
//! - A consumer never looks at an entry at or beyond a `tail` that it has acquired.
//! - A frame's bytes are read only by its claimant, between its claim and its release, or by the producer, while it is
//!   RELEASED and not yet reclaimed.
//! - A claim names state, owner and position in one word: a word of an earlier round never matches. (Position is there
//!   with 32 bits. A consumer that stands still for exactly 2^32 granules, 128 GiB of traffic, between two instructions
//!   would claim the frame that is there now, which is also right: it uses nothing it read before but the hint.)
//!
//! Sources: the split of claiming from releasing is that of Vyukov's bounded MPMC queue (per-slot sequence numbers);
//! frames with a pad at the end are those of LMAX-style log buffers.

mod consumer;
mod producer;
mod recall;
mod word;

pub use crate::layout::{MAX_CAPACITY, MIN_CAPACITY};
pub use consumer::{Claim, FrameConsumer};
pub use producer::FrameProducer;
pub use word::Owner;

pub(crate) use word::{State, Word};

use crate::{FrameHeader, GRANULE, RingError};

/// What is known of a frame before it is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peek {
    /// Length of the whole frame, in granules.
    pub granules: u32,
    /// As in [`FrameHeader`].
    pub function: u16,
    /// As in [`FrameHeader`].
    pub kind: u8,
    /// As in [`FrameHeader`].
    pub flags: u8,
    /// As in [`FrameHeader`].
    pub call: u32,
}

impl Peek {
    pub(crate) const fn new(granules: u32, hint: u64) -> Peek {
        Peek {
            granules,
            function: hint as u16,
            kind: (hint >> 16) as u8,
            flags: (hint >> 24) as u8,
            call: (hint >> 32) as u32,
        }
    }
}

/// The longest frame of a ring, in granules: half of it, so that a frame and the pad before it fit at once, and no more
/// than the state word can say.
pub(crate) const fn max_granules(capacity: u32) -> u32 {
    let half = capacity / 2;
    if half > u16::MAX as u32 {
        u16::MAX as u32
    } else {
        half
    }
}

/// Looks at a frame's header after its bytes became the caller's own, and checks it against its entry's length.
pub(crate) fn checked_header(bytes: [u8; 16], granules: u32) -> Result<FrameHeader, RingError> {
    let header: FrameHeader = bytemuck::cast(bytes);
    if header.granules() == granules as u64 {
        Ok(header)
    } else {
        Err(RingError::Corrupt(
            "a frame's length differs from its entry's",
        ))
    }
}

/// Where a position's bytes start in the data part.
pub(crate) const fn data_offset(position: u64, capacity: u32) -> usize {
    (position & (capacity as u64 - 1)) as usize * GRANULE as usize
}
