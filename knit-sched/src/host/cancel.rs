//! Removing calls that nobody has taken, and counting those that wait.

use knit_ring::FrameHeader;

use super::Host;
use crate::calls::Place;
use crate::error::Result;

impl Host {
    /// Removes a call that no worker has taken: it never runs, and its number is free. False if it is too late: somebody has taken it, or it is over. It
    /// may be a call that was not handed over yet: then it will not be.
    ///
    /// # Errors
    /// The memory is corrupt.
    pub fn cancel(&mut self, call: u32, generation: u32) -> Result<bool> {
        match self.calls.place(call, generation) {
            Place::Ahead => {
                let removed = self.removed_ahead.insert((call, generation));
                if removed {
                    // Now: its number may be another call's before the frame is seen.
                    self.blocks.withdrawn(call);
                }
                return Ok(removed);
            }
            Place::Gone => return Ok(false),
            Place::Backlog => self.removed_in_backlog += 1,
            Place::Lane(lane, position) => {
                if !self.lanes[lane].requests.take_back(position)? {
                    return Ok(false);
                }
            }
        }
        self.remove(call);
        Ok(true)
    }

    /// Calls that were handed over and that no worker has taken yet.
    ///
    /// # Errors
    /// The memory is corrupt.
    pub fn queued(&mut self) -> Result<usize> {
        let mut queued = self.backlog.len() - self.removed_in_backlog;
        for lane in &mut self.lanes {
            queued += lane.requests.unclaimed()?;
        }
        Ok(queued)
    }

    /// Whether a call that is being handed over was removed before; if so, that is done now.
    #[inline]
    pub(super) fn is_removed(&mut self, header: &FrameHeader) -> bool {
        !self.removed_ahead.is_empty() && self.remove_ahead(header)
    }

    #[cold]
    fn remove_ahead(&mut self, header: &FrameHeader) -> bool {
        if !self.removed_ahead.remove(&(header.call, header.generation)) {
            return false;
        }
        self.submitted += 1;
        self.removed += 1;
        true
    }

    fn remove(&mut self, call: u32) {
        self.removed += 1;
        self.calls.removed(call);
        self.blocks.died(call);
    }
}
