//! The futex without its private flag, so that the kernel looks the word up by its page.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};

use super::Outcome;
use crate::ShmError;

/// One wait; `None` if a signal ended it.
pub(super) fn wait(
    word: &AtomicU32,
    expected: u32,
    timeout: Option<Duration>,
) -> Result<Option<Outcome>, ShmError> {
    // A time beyond the kernel's range is a wait for ever: the conversion fails only after 292 billion years.
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    match futex::wait(word, Flags::empty(), expected, timeout.as_ref()) {
        Ok(()) => Ok(Some(Outcome::Woken)),
        Err(Errno::AGAIN) => Ok(Some(Outcome::Changed)),
        Err(Errno::TIMEDOUT) => Ok(Some(Outcome::TimedOut)),
        Err(Errno::INTR) => Ok(None),
        Err(errno) => Err(ShmError::os("futex(FUTEX_WAIT)")(errno)),
    }
}

pub(super) fn wake(word: &AtomicU32, n: u32) -> usize {
    if n == 0 {
        // Kernels before 6.8 wake one.
        return 0;
    }
    // The kernel counts in a signed int: a larger number would be negative, and wake one.
    let n = n.min(i32::MAX as u32);
    // The only failure is a page that is not there, and on such nobody can sleep.
    futex::wake(word, Flags::empty(), n).unwrap_or(0)
}
