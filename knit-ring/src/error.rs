//! What can go wrong with a ring, each with a code that never changes.

use knit_shm::ShmError;

/// Why a ring refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RingError {
    /// There is no room for the frame until consumers release some.
    #[error("the ring is full")]
    Full,
    /// The frame is larger than this ring takes, however empty it is.
    #[error("a frame of {bytes} bytes exceeds this ring's limit of {limit}")]
    TooLong {
        /// Bytes of the frame, header included.
        bytes: usize,
        /// The most that one frame may have, header included.
        limit: usize,
    },
    /// The bytes given as one frame do not have the length that their header says, or carry a reserved kind.
    #[error("the bytes are not one whole frame")]
    Malformed,
    /// Shared memory holds what no participant that keeps the protocol can have written.
    #[error("shared memory is corrupt: {0}")]
    Corrupt(&'static str),
    /// The area is no ring of this kind and version, or smaller than its header says.
    #[error("not a ring that can be attached: {0}")]
    NotARing(&'static str),
    /// The capacity is not a power of two within the limits.
    #[error("a capacity of {0} granules is not a power of two from {min} to {max}", min = crate::layout::MIN_CAPACITY, max = crate::layout::MAX_CAPACITY)]
    BadCapacity(u32),
    /// The owner number does not fit or is reserved.
    #[error("owner {0} is not below {max}", max = crate::frame::Owner::PRODUCER.get())]
    BadOwner(u16),
    /// The claim was made on another ring.
    #[error("the claim belongs to another ring")]
    ForeignClaim,
    /// The claim is no longer its owner's: the producer took its owner for dead and recovered the frame.
    #[error("the claim was recovered by the producer")]
    ClaimLost,
    /// The memory below refused.
    #[error(transparent)]
    Shm(#[from] ShmError),
}

impl RingError {
    /// A stable name for programs to compare.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full => "RING_FULL",
            Self::TooLong { .. } => "RING_FRAME_TOO_LONG",
            Self::Malformed => "RING_FRAME_MALFORMED",
            Self::Corrupt(_) => "RING_CORRUPT",
            Self::NotARing(_) => "RING_NOT_A_RING",
            Self::BadCapacity(_) => "RING_BAD_CAPACITY",
            Self::BadOwner(_) => "RING_BAD_OWNER",
            Self::ForeignClaim => "RING_FOREIGN_CLAIM",
            Self::ClaimLost => "RING_CLAIM_LOST",
            Self::Shm(error) => error.code(),
        }
    }
}
