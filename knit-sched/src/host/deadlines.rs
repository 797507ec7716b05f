//! Deadlines of calls on the host's clock. The wheel is [`crate::Deadlines`]; here it meets the time.
//!
//! Nothing here wakes the host: whoever owns it keeps one timer, armed for [`Host::next_deadline`] whenever that has become earlier, and calls
//! [`Host::expire`] when it fires. A deadline holds while the worker is stuck, since no worker takes part.

use std::time::Duration;

use super::Host;
use crate::deadlines::Expired;

impl Host {
    /// Gives a call a deadline, so long after now, in place of the one it may have. It must be cancelled when the call is settled.
    pub fn schedule(&mut self, call: u32, generation: u32, after: Duration) {
        // Rounded up: never early.
        let at = (self.started.elapsed().saturating_add(after)).as_nanos();
        let at = u64::try_from(at.div_ceil(NANOS_PER_TICK)).unwrap_or(u64::MAX);
        self.deadlines.schedule(call, generation, at);
    }

    /// Takes a call's deadline away. False if it has none.
    pub fn cancel_deadline(&mut self, call: u32) -> bool {
        self.deadlines.cancel(call)
    }

    /// How long until something may expire; zero if something is due. None if nothing waits.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let at = Duration::from_millis(self.deadlines.next()?);
        Some(at.saturating_sub(self.started.elapsed()))
    }

    /// Hands out the calls whose deadlines have passed, at most `max`, and tells how many. They have no deadline from then on.
    pub fn expire(&mut self, max: usize, on: impl FnMut(Expired)) -> usize {
        let now = self.started.elapsed().as_millis();
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        self.deadlines.expire(now, max, on)
    }
}

/// A tick is a millisecond.
const NANOS_PER_TICK: u128 = 1_000_000;
