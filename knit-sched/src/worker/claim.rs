//! Claiming: from which lane, how many, and who is woken because of it.

use super::{Lane, Turn, Worker};
use crate::abort::AbortSlot;
use crate::bells::Lanes;
use crate::blocks;
use crate::error::{Result, SchedError};
use crate::frames::{Message, flag};
use crate::steal::{self, Head};
use crate::wake;

impl Worker {
    /// Claims from the lane that is next: see `steal.rs`. False if there is nothing to claim.
    pub(super) fn claim(&mut self) -> Result<bool> {
        let count = self.lanes.len();
        if !self.steal || count == 1 {
            return self.claim_from(self.index);
        }
        let first = fastrand::usize(..count);
        let next = steal::choose(self.index, count, first, |lane| self.head(lane))?;
        let Some(next) = next else {
            return Ok(false);
        };
        if self.claim_from(next)? {
            return Ok(true);
        }
        // Somebody was faster: whatever is there.
        if self.claim_from(self.index)? {
            return Ok(true);
        }
        for turn in 0..count {
            let lane = (first + turn) % count;
            if lane != self.index && self.claim_from(lane)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The first unclaimed call of a lane, as of now.
    fn head(&self, lane: usize) -> Result<Option<Head>> {
        let Lane {
            requests, stamps, ..
        } = &self.lanes[lane];
        Ok(requests.peek_at()?.map(|(position, peek)| Head {
            // If it is claimed meanwhile, perhaps another call's: no more than a hint.
            since: stamps.get(position),
            short: self.costs.is_short(peek.function),
            looks: self.costs.looks(peek.function),
        }))
    }

    fn claim_from(&mut self, lane: usize) -> Result<bool> {
        let requests = &mut self.lanes[lane].requests;
        let mut budget = self.costs.budget();
        let claimed = requests.claim(
            self.most,
            |header| budget.admits(header.function),
            &mut self.claims,
        )?;
        self.claimed_lane = lane;
        Ok(claimed > 0)
    }

    pub(super) fn start(&mut self) -> Result<Turn> {
        if std::mem::take(&mut self.searched) {
            self.wake_a_peer()?;
        }
        self.let_woken_run();
        let stamps = &self.lanes[self.claimed_lane].stamps;
        self.meter.begin(&self.claims, stamps, self.shared.region());
        self.running = true;
        Ok(Turn::Work)
    }

    /// Whether any lane that this worker may claim from has something.
    pub(super) fn any_request(&self) -> Result<bool> {
        for (lane, l) in self.lanes.iter().enumerate() {
            if (self.steal || lane == self.index) && !l.requests.is_empty()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn wake_a_peer(&mut self) -> Result<()> {
        if !self.steal || self.lanes.len() == 1 {
            return Ok(());
        }
        self.woke |= wake::pass_on(&Lanes::new(&self.shared, &self.lanes), self.index, || {
            self.any_request()
        })?;
        Ok(())
    }

    /// Gives the core up once before a call that may be long, to the host or a peer that this worker has woken: the system may have put them on this core,
    /// beside one that is idle by now, and would leave them there until a slice of several milliseconds is over.
    fn let_woken_run(&mut self) {
        let long = self
            .claims
            .iter()
            .any(|claim| !self.costs.is_short(claim.header.function));
        if long && std::mem::take(&mut self.woke) {
            std::thread::yield_now();
        }
    }

    /// A private copy of the `n`th claimed call: its header (without [`flag::BLOCK`] and [`flag::ABORT`]) and its argument.
    ///
    /// # Errors
    /// The call names a block that is not there, or is to have an abort slot and is too short for one.
    ///
    /// # Panics
    /// If there is no such claim.
    pub fn call(&mut self, n: usize) -> Result<Message> {
        let claim = &self.claims[n];
        let mut payload = Vec::new();
        self.lanes[self.claimed_lane]
            .requests
            .payload(claim, &mut payload)?;
        let mut header = claim.header;
        if header.flags & flag::BLOCK != 0 {
            payload = blocks::take(&self.host_heap, self.shared.region(), &payload)?;
            header.flags &= !flag::BLOCK;
            header.payload_len = payload.len() as u32;
        }
        let mut abort = None;
        if header.flags & flag::ABORT != 0 {
            let (slot, argument) = payload
                .split_at_checked(size_of::<AbortSlot>())
                .ok_or(SchedError::BadCall)?;
            abort = Some(bytemuck::pod_read_unaligned(slot));
            payload = argument.to_vec();
            header.flags &= !flag::ABORT;
            header.payload_len = payload.len() as u32;
        }
        Ok(Message {
            header,
            payload,
            abort,
        })
    }
}
