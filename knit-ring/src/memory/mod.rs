//! Where a ring lives: the words and bytes that its algorithms run on.
//!
//! The algorithms of this crate never touch memory themselves. They ask these traits for words and for copies of
//! bytes, so that what runs in production is, line for line, what loom explores:
//!
//! | | words | bytes |
//! |---|---|---|
//! | [`Mapped`] | `core` atomics inside an [`Area`](knit_shm::Area) | raw copies, never a slice over shared memory |
//! | `Model` (`--cfg loom`) | loom atomics | loom's `UnsafeCell`s, one per granule: loom fails on a data race of payloads |
//!
//! The traits are sealed: an implementation must promise that equal slots mean the same word for every participant.

#[cfg(not(loom))]
mod mapped;
#[cfg(loom)]
mod model;

#[cfg(not(loom))]
pub use mapped::Mapped;
#[cfg(loom)]
pub use model::Model;

/// The memory that this build's rings have unless told otherwise.
#[cfg(not(loom))]
pub type DefaultMemory = Mapped;
/// The memory that this build's rings have unless told otherwise.
#[cfg(loom)]
pub type DefaultMemory = Model;

use crate::RingError;
use crate::sync::{AtomicU32, AtomicU64};
use core::time::Duration;
use knit_shm::wait::Outcome;

mod sealed {
    pub trait Sealed {}
    #[cfg(not(loom))]
    impl Sealed for super::Mapped {}
    #[cfg(loom)]
    impl Sealed for super::Model {}
}

/// The data part of a ring.
pub trait Bytes: sealed::Sealed {
    /// Granules of the data part: a power of two.
    fn capacity(&self) -> u32;

    /// Where the data part starts, in bytes from the start of the region.
    fn base(&self) -> usize;

    /// Copies `bytes` to `at`, a byte offset in the data part. Does nothing past its end.
    ///
    /// # Safety
    /// No other participant that keeps the protocol reads or writes those bytes now: they belong to the caller by the
    /// ring's protocol, and its last reader's release has been acquired.
    unsafe fn store(&self, at: usize, bytes: &[u8]);

    /// Copies the bytes at `at`, a byte offset in the data part, to `out`. Leaves `out` as it is past its end.
    ///
    /// # Safety
    /// No other participant that keeps the protocol writes those bytes now, and their last write has been acquired.
    unsafe fn load(&self, at: usize, out: &mut [u8]);
}

/// The words of a frame ring. A `slot` is a position; only its low bits, below the capacity, are used.
pub trait FrameMemory: Bytes {
    /// Everything below is published. Written by the producer.
    fn tail(&self) -> &AtomicU64;
    /// No frame below is ready. Raised by consumers, and by the producer if they died too early to do so.
    fn cursor(&self) -> &AtomicU64;
    /// Everything below is reclaimed. Written by the producer.
    fn head(&self) -> &AtomicU64;
    /// The state word of a slot.
    fn state(&self, slot: u64) -> &AtomicU64;
    /// The part of the header of a slot's frame that consumers look at before they claim.
    fn hint(&self, slot: u64) -> &AtomicU64;
}

/// The words of a stream ring.
pub trait StreamMemory: Bytes {
    /// Bytes published so far, wrapping. Written by the producer.
    fn tail32(&self) -> &AtomicU32;
    /// Bytes consumed so far, wrapping. Written by the consumer.
    fn head32(&self) -> &AtomicU32;
}

/// The word of a doorbell, and sleeping on it.
pub trait BellMemory: sealed::Sealed {
    /// The word.
    fn bell(&self) -> &AtomicU32;
    /// Sleeps while the word is `expected`.
    fn sleep(&self, expected: u32, timeout: Option<Duration>) -> Result<Outcome, RingError>;
    /// Wakes who sleeps on the word; says how many that were.
    fn wake(&self) -> usize;
}
