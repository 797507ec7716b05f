//! Sleeping, and what must be looked at before.

use std::time::Duration;

use super::Worker;
use crate::error::Result;

impl Worker {
    /// Announces that this worker is about to sleep. Returns false, and takes the announcement back, if there is something to do first.
    ///
    /// # Errors
    /// As [`Worker::turn`].
    pub fn arm(&mut self) -> Result<bool> {
        self.searched = true;
        self.heap.settle()?;
        self.own().set_wants_room(!self.backlog.is_empty());
        // Contains the SeqCst fence that pairs with those in `Host::publish`, `Host::poll` and `Host::stop`.
        self.own().bell().arm();
        self.armed = true;
        if !self.backlog.is_empty() {
            self.publish(&[])?;
            self.own().set_wants_room(!self.backlog.is_empty());
        }
        if self.any_request()? || self.must_stop() || self.has_new_aborts() {
            self.own().bell().disarm();
            return Ok(false);
        }
        Ok(true)
    }

    /// Sleeps until there is something to do or the time is over; for workers without an event loop.
    ///
    /// # Errors
    /// As [`Worker::turn`], and what the system says about waiting.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<()> {
        if self.arm()? {
            self.own().bell().wait(timeout)?;
        }
        Ok(())
    }
}
