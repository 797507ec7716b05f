//! Waits inside one process. A wake from another process, or from [`shared`](super::shared), reaches nobody here.

use std::sync::atomic::AtomicU32;

/// Sleeps while `word` holds `expected`, until woken; may return early.
#[inline]
pub fn wait(word: &AtomicU32, expected: u32) {
    atomic_wait::wait(word, expected);
}

/// Wakes one thread that sleeps on `word`, if there is one.
#[inline]
pub fn wake_one(word: &AtomicU32) {
    atomic_wait::wake_one(word);
}

/// Wakes every thread that sleeps on `word`.
#[inline]
pub fn wake_all(word: &AtomicU32) {
    atomic_wait::wake_all(word);
}
