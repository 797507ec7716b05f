//! Abort slots of the host: giving them out, aborting, taking them back. See [`crate::AbortSlot`].

use super::Host;
use crate::abort::AbortSlot;
use crate::bells::Lanes;
use crate::wake;

impl Host {
    /// A slot for a call that can be aborted, to be sent with it ([`flag::ABORT`](crate::frames::flag::ABORT)) and released when the call is over.
    /// None if all are in use.
    pub fn take_abort_slot(&mut self) -> Option<AbortSlot> {
        self.aborts.take()
    }

    /// Aborts the call that has this slot: its task sees it from now on, and a worker that watches is woken. False if no call has the slot
    /// under that ticket any more.
    pub fn abort(&mut self, slot: AbortSlot) -> bool {
        let aborted = self.aborts.abort(slot);
        if aborted {
            self.words.count_abort();
            wake::for_abort(&Lanes::new(&self.shared, &self.lanes));
        }
        aborted
    }

    /// Takes back the slot of a call that is over: it was answered, or removed from the queue, or [`Host::retire`] has named it. Before that its task
    /// may run and look. False if no call has the slot under that ticket.
    pub fn release_abort_slot(&mut self, slot: AbortSlot) -> bool {
        self.aborts.release(slot)
    }

    /// How many abort slots are in use.
    #[must_use]
    pub fn abort_slots_in_use(&self) -> usize {
        self.aborts.in_use()
    }
}
