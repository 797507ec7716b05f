//! A worker's side of a pool: it claims calls, and publishes what they answer.
//!
//! One thread owns a [`Worker`] and calls [`Worker::turn`] over and over:
//!
//! 1. What it claimed the last time is released, the replies it wrote are moved into the reply ring and published, and the host is
//!    woken if it sleeps. So nothing that is finished waits behind something that is about to start.
//! 2. It claims as many calls as are cheap (see `cost.rs`) from its own lane, else from another's. Their frames stay where they
//!    are, to be read in place until the next turn.
//! 3. Nothing to claim: it searches all lanes for as long as it may spin.
//! 4. Still nothing: the caller arms ([`Worker::arm`]) and sleeps, in its event loop or in [`Worker::wait`].
//!
//! Whom it wakes when it has found something is in `wake.rs`.

use core::sync::atomic::{Ordering, fence};
use std::sync::Arc;
use std::time::{Duration, Instant};

use knit_ring::heap::{Block, Locator};
use knit_ring::{Claim, FrameConsumer, RingError, StreamProducer};

use crate::abort::{AbortSlot, AbortWords};
use crate::backlog::Backlog;
use crate::bells::{Lanes, Shared};
use crate::blocks;
use crate::cell::{Activity, Cell, HostWords};
use crate::cost::{Costs, MOST};
use crate::error::{Result, SchedError};
use crate::frames::{Frame, Message, flag, frame_at};
use crate::heap::{Loan, LoanBook, OwnHeap, PeerHeap};
use crate::owner::owner;
use crate::spin::look;
use crate::wake;

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There are claimed calls to run: see [`Worker::claims`].
    Work,
    /// There is nothing to do at present.
    Idle,
    /// The host asks this worker to end.
    Stop,
}

struct Lane {
    cell: Cell,
    requests: FrameConsumer,
}

impl AsRef<Cell> for Lane {
    fn as_ref(&self) -> &Cell {
        &self.cell
    }
}

/// One worker of a pool.
pub struct Worker {
    shared: Arc<Shared>,
    host: HostWords,
    abort_words: AbortWords,
    /// How many aborts there were when this worker looked last.
    aborts: u32,
    index: usize,
    epoch: u32,
    steal: bool,
    lanes: Vec<Lane>,
    claims: Vec<Claim>,
    /// The lane that all of them are from.
    claimed_lane: usize,
    claimed_at: Option<Instant>,
    costs: Costs,
    replies: StreamProducer,
    heap: OwnHeap,
    host_heap: PeerHeap,
    /// Loans of the host that the program of this worker holds.
    loans: LoanBook,
    backlog: Backlog,
    inline_limit: usize,
    searched: bool,
    armed: bool,
}

impl Worker {
    /// Takes the place `index`, which the host has opened with this epoch.
    ///
    /// # Errors
    /// The place is not open for that epoch, or the memory is damaged.
    pub fn attach(shared: Arc<Shared>, index: usize, epoch: u32, steal: bool) -> Result<Self> {
        let (region, layout) = (shared.region(), shared.layout());
        let name = owner(index, epoch)?;
        let lanes = (0..layout.workers())
            .map(|lane| {
                Ok(Lane {
                    cell: Cell::new(layout, region, lane)?,
                    requests: FrameConsumer::attach(layout.requests(region, lane)?, name)?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let cell = &lanes
            .get(index)
            .ok_or(SchedError::NoSuchWorker(index))?
            .cell;
        cell.attach(epoch)?;
        let replies = StreamProducer::create(
            layout.replies(region, index)?,
            layout.config().reply_granules,
        )?;
        let heap = OwnHeap::open(layout, region, index + 1)?;
        cell.ready();
        Ok(Self {
            inline_limit: blocks::inline_limit(layout.config().reply_granules),
            host: HostWords::new(region)?,
            abort_words: AbortWords::new(layout, region)?,
            aborts: 0,
            index,
            epoch,
            steal,
            claims: Vec::with_capacity(MOST),
            claimed_at: None,
            costs: Costs::default(),
            replies,
            claimed_lane: index,
            heap,
            host_heap: PeerHeap::open(layout, region, 0)?,
            loans: LoanBook::default(),
            backlog: Backlog::default(),
            searched: true,
            armed: false,
            lanes,
            shared,
        })
    }

    /// The pool's memory.
    #[must_use]
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// This worker's place.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The calls that the last turn claimed; their frames can be read until the next.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// Settles the last claims, publishes `replies` (a buffer of whole frames) and claims what is to be run next, searching for at most `spin`.
    ///
    /// # Errors
    /// The buffer holds a damaged frame, or the memory is corrupt.
    pub fn turn(&mut self, replies: &[u8], spin: Duration) -> Result<Turn> {
        if std::mem::take(&mut self.armed) {
            self.own().bell().disarm();
        }
        if self.own().is_lost(self.epoch) {
            // Another worker may write into the reply ring by now.
            return Ok(Turn::Stop);
        }
        self.aborts = self.host.aborts();
        self.settle(replies)?;
        if self.own().asked_to_stop() {
            return self.stop();
        }
        if self.claim()? {
            return self.start();
        }
        if spin.is_zero() {
            return Ok(Turn::Idle);
        }
        self.own().set_activity(Activity::Searching);
        self.searched = true;
        let found = look(spin, || {
            if !self.backlog.is_empty() {
                self.settle(&[])?;
            }
            Ok::<_, SchedError>(self.claim()? || self.must_stop())
        });
        self.own().set_activity(Activity::Running);
        if found? && !self.claims.is_empty() {
            return self.start();
        }
        if self.must_stop() {
            return self.stop();
        }
        Ok(Turn::Idle)
    }

    /// Publishes replies without claiming anything, for what becomes ready between turns.
    ///
    /// # Errors
    /// As [`Worker::turn`].
    pub fn publish(&mut self, replies: &[u8]) -> Result<()> {
        let news = self.move_replies(replies)?;
        self.tell_host(news);
        Ok(())
    }

    fn own(&self) -> &Cell {
        &self.lanes[self.index].cell
    }

    fn must_stop(&self) -> bool {
        self.own().asked_to_stop() || self.own().is_lost(self.epoch)
    }

    /// Leaves to others what was meant for this worker.
    fn stop(&mut self) -> Result<Turn> {
        self.wake_a_peer()?;
        Ok(Turn::Stop)
    }

    fn settle(&mut self, replies: &[u8]) -> Result<()> {
        if self.claims.is_empty() && replies.is_empty() && self.backlog.is_empty() {
            return Ok(());
        }
        if let Some(start) = self.claimed_at.take() {
            self.costs.record(
                self.claims.iter().map(|claim| claim.header.function),
                start.elapsed(),
            );
        }
        for claim in self.claims.drain(..) {
            self.lanes[self.claimed_lane].requests.release(claim)?;
        }
        self.publish(replies)
    }

    /// Wakes the host if it sleeps and there is news, or it waits for the room that was just released.
    fn tell_host(&self, news: bool) {
        // SeqCst fence: between what was published or released and the look at the host's words; pairs with the one in `Host::arm`.
        fence(Ordering::SeqCst);
        if news || self.host.has_backlog() {
            self.shared.wake_host(&self.host);
        }
    }

    /// Moves replies into the ring and publishes them; tells whether there were any.
    fn move_replies(&mut self, replies: &[u8]) -> Result<bool> {
        if !self.backlog.is_empty() {
            let mut backlog = std::mem::take(&mut self.backlog);
            let moved = backlog.drain(|frame| self.place(frame));
            self.backlog = backlog;
            moved?;
        }
        let mut at = 0;
        while at < replies.len() {
            let frame = frame_at(replies, at).ok_or(SchedError::BadSubmission(at))?;
            at += frame.padded_len();
            if !self.backlog.is_empty() || !self.place(&frame)? {
                self.backlog.push(&frame);
            }
        }
        Ok(self.replies.publish())
    }

    fn place(&mut self, frame: &Frame<'_>) -> Result<bool> {
        let pushed = if frame.bytes().len() > self.inline_limit {
            let Some((header, payload)) =
                blocks::store(&mut self.heap.main, self.shared.region(), frame)?
            else {
                return Ok(false);
            };
            let pushed = self.replies.push(&header, bytemuck::bytes_of(&payload));
            if matches!(pushed, Err(RingError::Full)) {
                self.heap.free(Locator::from_raw(payload.locator))?;
            }
            pushed
        } else {
            self.replies.push_raw(frame.bytes())
        };
        match pushed {
            Ok(()) => Ok(true),
            Err(RingError::Full) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Claims from the own lane, else from the first other one that has something, starting anywhere.
    fn claim(&mut self) -> Result<bool> {
        if self.claim_from(self.index)? {
            return Ok(true);
        }
        let count = self.lanes.len();
        if !self.steal || count == 1 {
            return Ok(false);
        }
        let first = fastrand::usize(..count);
        for turn in 0..count {
            let lane = (first + turn) % count;
            if lane != self.index && self.claim_from(lane)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn claim_from(&mut self, lane: usize) -> Result<bool> {
        let requests = &mut self.lanes[lane].requests;
        let mut budget = self.costs.budget();
        let claimed = requests.claim(
            MOST,
            |header| budget.admits(header.function),
            &mut self.claims,
        )?;
        self.claimed_lane = lane;
        Ok(claimed > 0)
    }

    fn start(&mut self) -> Result<Turn> {
        if std::mem::take(&mut self.searched) {
            self.wake_a_peer()?;
        }
        self.claimed_at = Some(Instant::now());
        Ok(Turn::Work)
    }

    /// Whether any lane that this worker may claim from has something.
    fn any_request(&self) -> Result<bool> {
        for (lane, l) in self.lanes.iter().enumerate() {
            if (self.steal || lane == self.index) && !l.requests.is_empty()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn wake_a_peer(&mut self) -> Result<()> {
        if !self.steal || self.lanes.len() == 1 {
            return Ok(());
        }
        wake::pass_on(&Lanes::new(&self.shared, &self.lanes), self.index, || {
            self.any_request()
        })
    }

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
    fn has_new_aborts(&self) -> bool {
        self.own().watches() && self.host.aborts() != self.aborts
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

    /// The bytes of a block that a call names.
    ///
    /// # Errors
    /// The locator does not name a live block of the host.
    pub fn open_block(&self, locator: u64) -> Result<Block> {
        self.host_heap.resolve(Locator::from_raw(locator))
    }

    /// Keeps a block that a call names beyond that call. None if it is not one to keep: it must be copied out and closed. Who runs the call says in
    /// its reply, by [`flag::KEPT`], that the call's blocks did not all come back.
    ///
    /// # Errors
    /// The locator does not name a live block of the host.
    pub fn hold_block(&self, locator: u64) -> Result<Option<Loan>> {
        self.host_heap
            .hold(&self.shared, &self.loans, Locator::from_raw(locator))
    }

    /// Gives all pages of the worker's heap back that no payload is in: see [`Host::trim`](crate::Host::trim).
    ///
    /// # Errors
    /// The system refuses; nothing is lost by it.
    pub fn trim(&mut self) -> Result<()> {
        self.heap.trim()
    }

    /// A block for the caller to fill and to send with a reply. None if there is no room at present.
    ///
    /// # Errors
    /// The system has no memory left.
    pub fn alloc_block(&mut self, bytes: usize) -> Result<Option<Block>> {
        // The reply would wait behind those in the backlog, which may wait for the very room that its block takes.
        if !self.backlog.is_empty() {
            return Ok(None);
        }
        self.heap.alloc(bytes)
    }

    /// Takes back such a block: it is not sent.
    ///
    /// # Errors
    /// The locator does not name a block that was allocated and not sent.
    pub fn free_block(&mut self, locator: u64) -> Result<()> {
        self.heap.free(Locator::from_raw(locator))
    }

    /// Gives such a block back to the host.
    ///
    /// # Errors
    /// The locator does not name a live block of the host.
    pub fn close_block(&self, locator: u64) -> Result<()> {
        self.host_heap.give_back(Locator::from_raw(locator))?;
        // The host may wait for just this room.
        self.tell_host(false);
        Ok(())
    }

    /// Bytes of the longest payload that a reply can have.
    #[must_use]
    pub fn longest_payload(&self) -> usize {
        self.heap.capacity()
    }
}
