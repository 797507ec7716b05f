//! What a worker measures of its calls, at a few additions a call and two looks at the clock a turn.
//!
//! *Wait time*: from the hand-over of a call to its claim, by the stamp of its frame. *Run time*: calls that are answered before the next turn share
//! the time of that turn equally, which is what a claim of several short calls allows to know (a call that is not known to be short is claimed
//! alone). A call that is answered later, because its task is asynchronous, counts from its claim to its answer.

use std::collections::HashMap;

use knit_ring::{Claim, FrameHeader};
use knit_shm::Region;

use crate::blocks::BlockPayload;
use crate::cell::Cell;
use crate::clock;
use crate::counters::{Counters, Counts, Current};
use crate::error::Result;
use crate::frames::{flag, kind};
use crate::histogram::Histogram;
use crate::layout::Layout;
use crate::stamps::Stamps;

pub(super) struct Meter {
    counters: Counters,
    counts: Counts,
    waits: Histogram,
    runs: Histogram,
    /// When the last claim was made.
    claimed_at: u64,
    /// The calls of the last claim, until they are settled.
    claimed: Vec<u32>,
    /// Those before are answered, or are known to be answered later.
    next: usize,
    /// How many of them are answered.
    answered: u64,
    /// Calls to be answered later, and when they were claimed.
    open: HashMap<u32, u64>,
}

impl Meter {
    pub(super) fn new(layout: &Layout, region: &Region, index: usize, cell: &Cell) -> Result<Self> {
        let counters = cell.counters()?;
        let (waits, runs) = layout.histograms(region, index)?;
        Ok(Self {
            // It goes on where its predecessor in the place has ended.
            counts: counters.counts(),
            counters,
            waits,
            runs,
            claimed_at: 0,
            claimed: Vec::new(),
            next: 0,
            answered: 0,
            open: HashMap::new(),
        })
    }

    pub(super) fn count_turn(&self) {
        self.counters.count_turn();
    }

    pub(super) fn count_block_in(&mut self, bytes: usize) {
        add(&mut self.counts.bytes_in, bytes as u64);
    }

    pub(super) fn count_block_out(&mut self, bytes: usize) {
        add(&mut self.counts.bytes_out, bytes as u64);
    }

    /// These calls were claimed, and are about to be run.
    pub(super) fn begin(&mut self, claims: &[Claim], stamps: &Stamps, region: &Region) {
        let now = clock::now();
        self.claimed_at = now;
        let (mut stamp, mut alike) = (0, 0);
        for claim in claims {
            self.claimed.push(claim.header.call);
            add(&mut self.counts.bytes_in, argument_bytes(claim, region));
            let next = stamps.get(claim.position());
            // Most were handed over together.
            if next != stamp {
                self.record_wait(now, stamp, alike);
                (stamp, alike) = (next, 0);
            }
            alike += 1;
        }
        self.record_wait(now, stamp, alike);
        add(&mut self.counts.taken, claims.len() as u64);
        self.counters.show(&self.counts);
        if let Some(first) = claims.first() {
            self.counters.begin(Current {
                call: first.header.call,
                generation: first.header.generation,
                since: now,
            });
        }
    }

    fn record_wait(&self, now: u64, stamp: u64, calls: u64) {
        if calls > 0 {
            // Saturating: the clocks of two processors may differ a little.
            self.waits.record(now.saturating_sub(stamp), calls);
        }
    }

    /// A reply is on its way. What a binding says about itself answers no call.
    pub(super) fn answer(&mut self, reply: &FrameHeader) {
        if reply.kind == kind::NOTE {
            return;
        }
        if reply.kind == kind::RESULT {
            add(&mut self.counts.completed, 1);
        } else {
            add(&mut self.counts.failed, 1);
        }
        add(&mut self.counts.bytes_out, u64::from(reply.payload_len));
        // Mostly in the order of the claims.
        if self.claimed.get(self.next) == Some(&reply.call) {
            self.next += 1;
            self.answered += 1;
        } else {
            self.answer_later(reply.call);
        }
    }

    #[cold]
    fn answer_later(&mut self, call: u32) {
        if let Some(claimed_at) = self.open.remove(&call) {
            self.runs.record(clock::now().saturating_sub(claimed_at), 1);
            return;
        }
        let rest = &self.claimed[self.next..];
        if let Some(passed) = rest.iter().position(|other| *other == call) {
            let at = self.claimed_at;
            self.open
                .extend(rest[..passed].iter().map(|call| (*call, at)));
            self.next += passed + 1;
            self.answered += 1;
        }
    }

    /// Shows what was counted.
    pub(super) fn show(&self) {
        self.counters.show(&self.counts);
    }

    /// The tasks of the last claim have run, or have begun and go on in the background. Returns how long that took in all, in ns.
    pub(super) fn ran(&self) -> u64 {
        self.counters.end();
        clock::now().saturating_sub(self.claimed_at)
    }

    /// The replies of the last claim are on their way, which took so long to run.
    pub(super) fn settle(&mut self, elapsed: u64) {
        let calls = self.claimed.len() as u64;
        if self.answered > 0 {
            self.runs.record(elapsed / calls, self.answered);
        }
        let at = self.claimed_at;
        let later = self.claimed.drain(..).skip(self.next);
        self.open.extend(later.map(|call| (call, at)));
        self.next = 0;
        self.answered = 0;
    }
}

fn argument_bytes(claim: &Claim, region: &Region) -> u64 {
    if claim.header.flags & flag::BLOCK == 0 {
        return u64::from(claim.header.payload_len);
    }
    let block = region.read::<BlockPayload>(claim.data_offset);
    block.map_or(0, |block| block.len)
}

/// Wrapping: counts go on from those in shared memory, and a damaged frame may claim any length. The figures are then wrong, and nothing else.
fn add(sum: &mut u64, more: u64) {
    *sum = sum.wrapping_add(more);
}
