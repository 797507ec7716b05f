//! Waits across processes, on a word in memory that all of them map (a word in private memory works as well).
//!
//! The word is told by the memory it lies in, not by its address: each process may have mapped it elsewhere.

#[cfg(target_os = "linux")]
#[path = "shared/linux.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "shared/macos.rs"]
mod system;

use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use super::Outcome;
use crate::ShmError;

/// Sleeps while `word` holds `expected`, until woken or until `timeout` has passed; `None` waits for ever.
///
/// Signals do not end a wait, nor do they prolong it. A timeout too large for the clock is none.
///
/// # Errors
/// [`ShmError::Os`] if the system cannot wait there, [`ShmError::Unsupported`] on macOS before 14.4.
pub fn wait(
    word: &AtomicU32,
    expected: u32,
    timeout: Option<Duration>,
) -> Result<Outcome, ShmError> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match system::wait(word, expected, left)? {
            // A signal came between: again, with what is left of the time.
            None => {}
            Some(outcome) => return Ok(outcome),
        }
    }
}

/// Wakes up to `n` of those who sleep on `word`, and says how many it were (macOS: how many wakes found somebody).
pub fn wake(word: &AtomicU32, n: u32) -> usize {
    system::wake(word, n)
}
