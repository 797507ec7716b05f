//! The life of the places: opening one for a worker, asking the worker to end, settling its death.
//!
//! After a death [`Host::retire`] also wakes everybody once: the dead one may have been woken for a call that it never took, or may have
//! been about to wake somebody.

use core::sync::atomic::{Ordering, fence};

use super::Host;
use crate::backlog::Backlog;
use crate::cell::State;
use crate::clock;
use crate::error::{Result, SchedError};
use crate::frames::Frame;
use crate::owner::owner;

impl Host {
    /// Opens a place for a new worker and returns the epoch to start it with.
    ///
    /// # Errors
    /// The place is in use: its worker must be retired first.
    pub fn begin(&mut self, worker: usize) -> Result<u32> {
        match self.lane(worker)?.cell.state() {
            State::Empty | State::Dead => {}
            State::Starting => {
                return Err(SchedError::NotStarting(
                    worker,
                    "waiting for a worker already",
                ));
            }
            State::Attaching | State::Ready => {
                return Err(SchedError::NotStarting(worker, "taken"));
            }
        }
        self.blocks.reset(worker)?;
        let lane = &mut self.lanes[worker];
        lane.replies = None;
        lane.shown = None;
        lane.damaged = false;
        let epoch = lane.cell.begin();
        lane.begun += 1;
        // If this is the only open place, calls may have waited for it with nobody to wake the host for them.
        let placed = self.move_backlog()?;
        self.publish(placed, clock::now());
        Ok(epoch)
    }

    /// Asks a worker to end, and wakes it. It ends when it has run what it took; replies of it for which the reply ring has no room by
    /// then are lost, and [`Host::retire`] names their calls.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn stop(&mut self, worker: usize) -> Result<()> {
        let lane = self.lane(worker)?;
        lane.cell.ask_to_stop();
        // SeqCst fence: between the word and the look at the doorbell; pairs with the one in the worker's `arm`.
        fence(Ordering::SeqCst);
        self.shared.wake_worker(worker, &lane.cell);
        Ok(())
    }

    /// Settles the death of a worker: closes its epoch and returns the calls that it had taken. Some of them may have been answered
    /// before; the caller knows which are still open. Its published replies must have been polled and read before, until there are
    /// none: they are dropped here.
    ///
    /// The worker must really have ended, as its runtime or a pidfd says.
    ///
    /// # Errors
    /// There is no such worker, or the memory is corrupt.
    pub fn retire(&mut self, worker: usize) -> Result<Vec<u32>> {
        let epoch = self.lane(worker)?.cell.epoch();
        let dead = owner(worker, epoch)?;
        let lane = &mut self.lanes[worker];
        lane.cell.end();
        lane.lose_running();
        lane.replies = None;
        lane.shown = None;
        self.damaged.retain(|other| *other != worker);
        self.blocks.forget_view(worker);
        self.shared.set_bell(Some(worker), None)?;
        let calls = &mut self.calls;
        // It may have claimed from any lane.
        for lane in &mut self.lanes {
            lane.requests
                .recover(dead, |header| calls.note(header, dead))?;
            lane.requests
                .reclaim(|header, owner| calls.note(header, owner))?;
        }
        let taken = calls.take_from(dead);
        for call in &taken {
            self.blocks.died(*call);
        }
        self.blocks.let_go(worker);
        let placed = self.move_backlog()?;
        self.publish(placed, clock::now());
        self.rouse();
        Ok(taken)
    }

    /// Wakes every worker, asleep or about to be: after a death, because what the dead one was counted on for is left to them, and when
    /// there is something for them beside the rings.
    pub fn rouse(&self) {
        for (worker, lane) in self.lanes.iter().enumerate() {
            // Contains the SeqCst fence, between what was published before and the look at the doorbell, that pairs with the one in
            // the worker's `arm`.
            self.shared.rouse_worker(worker, &lane.cell);
        }
    }

    /// Takes back the calls that wait in the lane of a worker that will not be replaced soon, and gives them to others. If nobody is left,
    /// they stay in the backlog.
    ///
    /// # Errors
    /// The memory is corrupt.
    pub fn evacuate(&mut self, worker: usize) -> Result<()> {
        self.lane(worker)?;
        let calls = &mut self.calls;
        // Before those that wait already: they came earlier, and may have the very blocks that those wait for.
        let mut earlier = Backlog::default();
        let mut buffer = Vec::new();
        let lane = &mut self.lanes[worker];
        let stamps = &lane.stamps;
        lane.requests.drain_unclaimed(
            |_| true,
            |header, payload| {
                if calls.taken_back(header, |position| stamps.get(position)) {
                    earlier.push(&Frame::new(header, payload, &mut buffer));
                }
            },
        )?;
        self.backlog.prepend(earlier);
        lane.requests
            .reclaim(|header, owner| calls.note(header, owner))?;
        let placed = self.move_backlog()?;
        self.publish(placed, clock::now());
        Ok(())
    }
}
