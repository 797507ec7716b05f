//! Sleeping on a word, and waking who sleeps on it.
//!
//! Two families, which never wake each other even on the same word:
//!
//! | | [`local`] | [`shared`] |
//! |---|---|---|
//! | who can be woken | threads of this process | whoever maps the memory |
//! | timeout | none | yes |
//! | cost of a call | the system's cheaper, private form | a look-up of the page |
//!
//! Guarantees: the look at the word and the falling asleep are one step against a wake, so that "store, then wake" never
//! slips in between. Does not guarantee that a return means anything: waits end for no reason at times, so look at the word
//! again and go on waiting if it says so. Neither side orders other memory: that is the business of the word's own
//! accesses (store with Release or stronger before the wake, load with Acquire after the wait).
//!
//! A protocol that saves wakes when nobody sleeps needs more:
//! 1. Sleeper: announce, `fence(SeqCst)`, look at the word again, then wait.
//! 2. Waker: store the word, `fence(SeqCst)`, look at the announcement, then wake.
//!
//! Sources: futex(2); `os/os_sync_wait_on_address.h` of macOS 14.4.

pub mod local;
pub mod shared;

/// Why a wait came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody woke the word, or the system ended the wait for reasons of its own.
    Woken,
    /// The word did not hold the expected value, so there was no wait.
    Changed,
    /// The time was up.
    TimedOut,
}
