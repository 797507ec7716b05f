//! The atomics and fences that every algorithm of this crate is written against: `core`'s, or loom's in a model.
//!
//! Built with `--cfg loom`, the very same algorithms run on loom's atomics, which explore the interleavings and the
//! stale values that the memory model allows. Loom's atomics do not have the size of a word, so they cannot lie in
//! mapped memory: [`crate::memory`] gives the algorithms words and bytes, and has one implementation for each build.
//!
//! What loom does not show: it treats `SeqCst` accesses as `AcqRel` (fences it models in full), so the algorithms use
//! `SeqCst` only in fences. It knows no futex either: [`crate::doorbell`] sleeps through the memory trait.

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
