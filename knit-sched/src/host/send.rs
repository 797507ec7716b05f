//! From the submission buffer into the lanes: choosing a lane, the backlog, publishing, waking.

use knit_ring::heap::Locator;
use knit_ring::{FrameHeader, FrameProducer, RingError};

use super::Host;
use crate::balancer::LaneLoad;
use crate::bells::Lanes;
use crate::clock;
use crate::error::{Result, SchedError};
use crate::frames::{Frame, frame_at};
use crate::wake::{self, Crew as _};

impl Host {
    /// Hands over every frame of a submission buffer, then wakes who is needed. Never blocks: what finds no room waits in the backlog.
    ///
    /// # Errors
    /// The buffer holds a damaged frame or one longer than [`Host::longest_payload`] (those before it were handed over, it and those after it
    /// were not), or the memory is corrupt.
    pub fn submit(&mut self, buffer: &[u8]) -> Result<()> {
        if self.armed {
            self.disarm();
        }
        let now = clock::now();
        self.look_at_lanes()?;
        let mut placed = self.place_backlog()?;
        let longest = self.longest_payload;
        let mut at = 0;
        let mut outcome = Ok(());
        while at < buffer.len() {
            let Some(frame) = frame_at(buffer, at) else {
                outcome = Err(SchedError::BadSubmission(at));
                break;
            };
            at += frame.padded_len();
            if frame.payload().len() > longest {
                outcome = Err(SchedError::TooLong {
                    bytes: frame.payload().len(),
                    limit: longest,
                });
                break;
            }
            // Before anything is noted under its number, which may be a later call's already.
            if self.is_removed(frame.header()) {
                continue;
            }
            self.expect(frame.header(), now);
            let first = self.backlog.is_empty();
            match if first {
                self.place(&frame, now)
            } else {
                Ok(false)
            } {
                Ok(true) => placed += 1,
                Ok(false) => self.backlog.push(&frame),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        self.publish(placed, now);
        outcome
    }

    #[inline]
    fn expect(&mut self, header: &FrameHeader, time: u64) {
        self.submitted += 1;
        self.calls.expect(header, time);
        self.blocks.submitted(header.call);
    }

    /// Moves waiting calls into the rings, without publishing them.
    pub(super) fn move_backlog(&mut self) -> Result<usize> {
        if self.backlog.is_empty() {
            return Ok(0);
        }
        self.look_at_lanes()?;
        self.place_backlog()
    }

    /// Sees which lanes take calls, and takes the snapshot that the balancer sees, if it looks.
    fn look_at_lanes(&mut self) -> Result<()> {
        for lane in &mut self.lanes {
            lane.takes = lane.is_open();
        }
        if !self.balancer.looks() {
            return Ok(());
        }
        for (load, lane) in self.loads.iter_mut().zip(&mut self.lanes) {
            let count = |calls: u64| u32::try_from(calls).unwrap_or(u32::MAX);
            *load = LaneLoad {
                open: lane.takes,
                waiting: count(lane.requests.unclaimed()? as u64),
                running: count(lane.running()),
            };
        }
        Ok(())
    }

    fn place_backlog(&mut self) -> Result<usize> {
        if self.backlog.is_empty() {
            return Ok(0);
        }
        let mut backlog = std::mem::take(&mut self.backlog);
        let mut removed = 0;
        let moved = backlog.drain(|frame| {
            if let Some(since) = self.calls.waits_since(frame.header()) {
                return self.place(frame, since);
            }
            removed += 1;
            Ok(true)
        });
        self.backlog = backlog;
        self.removed_in_backlog = self.removed_in_backlog.saturating_sub(removed);
        moved.map(|moved| moved - removed)
    }

    /// Writes the frame of a call that was handed over at this time into a lane with room, without publishing it.
    #[inline]
    fn place(&mut self, frame: &Frame<'_>, time: u64) -> Result<bool> {
        if frame.bytes().len() > self.inline_limit {
            return self.place_block(frame, time);
        }
        self.place_in_lane(frame.header(), time, |ring| ring.push_raw(frame.bytes()))
    }

    /// The same for one that is too long for a ring: its payload goes into a block.
    #[cold]
    fn place_block(&mut self, frame: &Frame<'_>, time: u64) -> Result<bool> {
        let Some((header, payload)) = self.blocks.store(frame)? else {
            return Ok(false);
        };
        let placed = self.place_in_lane(&header, time, |ring| {
            ring.push(&header, bytemuck::bytes_of(&payload))
        })?;
        let locator = Locator::from_raw(payload.locator);
        if placed {
            self.blocks.sent(header.call, locator);
        } else {
            self.blocks.free(locator)?;
        }
        Ok(placed)
    }

    #[inline]
    fn place_in_lane(
        &mut self,
        header: &FrameHeader,
        time: u64,
        mut push: impl FnMut(&mut FrameProducer) -> Result<(), RingError>,
    ) -> Result<bool> {
        let calls = &mut self.calls;
        let count = self.lanes.len();
        let first = self.balancer.choose(&self.loads).min(count - 1);
        for turn in 0..count {
            let mut index = first + turn;
            // No division: this is done for every call.
            if index >= count {
                index -= count;
            }
            let lane = &mut self.lanes[index];
            if !lane.takes {
                continue;
            }
            let mut pushed = push(&mut lane.requests);
            if matches!(pushed, Err(RingError::Full)) {
                lane.requests
                    .reclaim(|header, owner| calls.note(header, owner))?;
                pushed = push(&mut lane.requests);
            }
            match pushed {
                Ok(()) => {
                    lane.unpublished += 1;
                    let position = lane.requests.position_of_last(header.granules());
                    calls.placed(header.call, index, position);
                    lane.stamps.set(position, time);
                    self.balancer.placed(index);
                    if self.balancer.looks() {
                        let waiting = &mut self.loads[index].waiting;
                        *waiting = waiting.saturating_add(1);
                    }
                    return Ok(true);
                }
                Err(RingError::Full) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// Publishes what was placed and wakes as many sleepers as it needs.
    pub(super) fn publish(&mut self, placed: usize, now: u64) {
        if placed == 0 {
            return;
        }
        self.progress = now;
        for lane in self.lanes.iter_mut().filter(|lane| lane.unpublished > 0) {
            lane.requests.publish();
        }
        let crew = Lanes::new(&self.shared, &self.lanes);
        let got = |worker: usize| self.lanes[worker].unpublished > 0;
        if self.steal {
            wake::for_new_calls(&crew, placed, self.wakes, got);
        } else {
            // Each worker takes from its own lane only. Contains the SeqCst fence that pairs with the one in a worker's `arm`.
            for worker in (0..self.lanes.len()).filter(|worker| got(*worker)) {
                crew.wake(worker);
            }
        }
        for lane in &mut self.lanes {
            lane.unpublished = 0;
        }
    }
}
