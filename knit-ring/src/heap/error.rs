//! What can go wrong with blocks.

use super::Locator;
use knit_shm::ShmError;

/// Why an arena could not be made or opened, or a block not be had, found or given back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeapError {
    /// No room for the block now. There may be when blocks have been given back.
    #[error(
        "no room for a block of {bytes} bytes: {free} bytes are free, not necessarily in one piece"
    )]
    Full {
        /// What was asked for.
        bytes: u64,
        /// What is free in all.
        free: u64,
    },
    /// The block is larger than the whole arena: waiting does not help.
    #[error("a block of {bytes} bytes never fits an arena of {capacity} bytes")]
    TooLarge {
        /// What was asked for.
        bytes: u64,
        /// All that the arena has.
        capacity: u64,
    },
    /// The locator names no live block: it was given back already, or freed, or never was one.
    #[error("{0:?} names no live block: it was given back or freed before, or never handed out")]
    NotLive(Locator),
    /// The locator names a granule or a length outside the arena.
    #[error("{0:?} lies outside its arena")]
    OutOfRange(Locator),
    /// The locator belongs to another arena.
    #[error("{locator:?} does not belong to arena {arena}")]
    WrongArena {
        /// The locator.
        locator: Locator,
        /// The arena that was asked.
        arena: u16,
    },
    /// A state word holds what no owner and no receiver writes: a peer has overwritten shared memory.
    #[error("the state of granule {granule} is corrupt")]
    Corrupt {
        /// Where.
        granule: u32,
    },
    /// The area is too small for an arena, or too large.
    #[error("an area of {bytes} bytes cannot hold an arena")]
    BadSize {
        /// The area's length.
        bytes: usize,
    },
    /// The area does not start at a multiple of 4096 bytes.
    #[error("an arena must start at a multiple of 4096 bytes, not at {offset}")]
    Misaligned {
        /// The area's offset in its region.
        offset: usize,
    },
    /// There is an arena in the area already: recover it instead.
    #[error("the area holds an arena already")]
    Exists,
    /// The area holds no arena, or one of another version, size or number.
    #[error("the area does not hold the expected arena: {0}")]
    BadHeader(&'static str),
    /// The memory below refused; the code is its own.
    #[error(transparent)]
    Shm(#[from] ShmError),
}

impl HeapError {
    /// A stable name for the kind of failure.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "HEAP_FULL",
            Self::TooLarge { .. } => "HEAP_TOO_LARGE",
            Self::NotLive(_) => "HEAP_NOT_LIVE",
            Self::OutOfRange(_) => "HEAP_OUT_OF_RANGE",
            Self::WrongArena { .. } => "HEAP_WRONG_ARENA",
            Self::Corrupt { .. } => "HEAP_CORRUPT",
            Self::BadSize { .. } => "HEAP_BAD_SIZE",
            Self::Misaligned { .. } => "HEAP_MISALIGNED",
            Self::Exists => "HEAP_EXISTS",
            Self::BadHeader(_) => "HEAP_BAD_HEADER",
            Self::Shm(error) => error.code(),
        }
    }
}
