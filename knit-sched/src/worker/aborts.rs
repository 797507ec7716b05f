//! Aborts, as a worker learns of them: by reading a call's slot at any time, or by being woken. See [`crate::AbortSlot`].

use super::Worker;
use crate::abort::AbortSlot;

impl Worker {
    /// Says whether this worker runs tasks that must hear of an abort while it sleeps. If so, an abort wakes it.
    pub fn watch_aborts(&mut self, watches: bool) {
        self.own().set_watches(watches);
    }

    /// How many aborts the host had made, wrapping, when the last turn looked. If it has changed, a task that this worker runs may be aborted.
    #[must_use]
    pub fn aborts(&self) -> u32 {
        self.aborts
    }

    /// Whether the call that was given this slot is aborted. A plain read.
    #[must_use]
    pub fn is_aborted(&self, slot: AbortSlot) -> bool {
        self.abort_words.is_aborted(slot)
    }

    /// Whether somebody here must look at the abort slots again.
    pub(super) fn has_new_aborts(&self) -> bool {
        self.own().watches() && self.host.aborts() != self.aborts
    }
}
