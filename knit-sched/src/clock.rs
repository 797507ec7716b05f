//! The clock of measurements: one that a host and its workers share, also across processes.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the system's monotonic clock.
#[inline]
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    // Both are positive: the clock starts at boot.
    (time.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(time.tv_nsec as u64)
}
