//! A worker's side of a pool: it claims calls, and publishes what they answer.
//!
//! One thread owns a [`Worker`] and calls [`Worker::turn`] over and over:
//!
//! 1. What it claimed the last time is released, the replies it wrote are moved into the reply ring and published, and the host is
//!    woken if it sleeps. So nothing that is finished waits behind something that is about to start.
//! 2. It claims as many calls as are cheap (see `cost.rs`), from its own lane or another's (see `steal.rs`). Their frames stay
//!    where they are, to be read in place until the next turn.
//! 3. Nothing to claim: it searches all lanes for as long as it may spin.
//! 4. Still nothing: the caller arms ([`Worker::arm`]) and sleeps, in its event loop or in [`Worker::wait`].
//!
//! Whom it wakes when it has found something is in `wake.rs`.
//!
//! | file | idea |
//! |---|---|
//! | `meter.rs` | measuring waits and runs |
//! | `claim.rs` | from which lane, how many; reading a claimed call |
//! | `reply.rs` | settling claims, publishing replies |
//! | `sleep.rs` | arming, sleeping |
//! | `aborts.rs` | learning of aborts |
//! | `blocks.rs` | payloads in blocks |

mod aborts;
mod blocks;
mod claim;
mod meter;
mod reply;
mod sleep;

use std::sync::Arc;
use std::time::Duration;

use knit_ring::{Claim, FrameConsumer, StreamProducer};

use crate::abort::AbortWords;
use crate::backlog::Backlog;
use crate::bells::Shared;
use crate::blocks as payloads;
use crate::cell::{Activity, Cell, HostWords};
use crate::cost::{Costs, MOST};
use crate::crowding::Crowding;
use crate::error::{Result, SchedError};
use crate::heap::{LoanBook, OwnHeap, PeerHeap};
use crate::owner::owner;
use crate::spin::look;
use crate::stamps::Stamps;
use meter::Meter;

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
    stamps: Stamps,
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
    /// Most calls of one claim.
    most: usize,
    lanes: Vec<Lane>,
    claims: Vec<Claim>,
    /// The lane that all of them are from.
    claimed_lane: usize,
    /// Whether the claims were handed out and are not settled.
    running: bool,
    meter: Meter,
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
    /// Whether it has woken somebody since it last gave its core up for that.
    woke: bool,
    /// Between two looks of a search.
    pause: Duration,
    crowding: Crowding,
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
                    stamps: Stamps::new(layout, region, lane)?,
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
        let host = HostWords::new(region)?;
        let meter = Meter::new(layout, region, index, cell)?;
        cell.ready();
        Ok(Self {
            inline_limit: payloads::inline_limit(layout.config().reply_granules),
            most: if host.claims_alone() { 1 } else { MOST },
            host,
            abort_words: AbortWords::new(layout, region)?,
            aborts: 0,
            index,
            epoch,
            steal,
            claims: Vec::with_capacity(MOST),
            running: false,
            meter,
            costs: Costs::default(),
            replies,
            claimed_lane: index,
            heap,
            host_heap: PeerHeap::open(layout, region, 0)?,
            loans: LoanBook::default(),
            backlog: Backlog::default(),
            searched: true,
            armed: false,
            woke: false,
            pause: Duration::ZERO,
            crowding: Crowding::default(),
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

    /// How long this worker pauses between two looks while it searches; not at all unless this is called. A longer pause leaves more of a shared core
    /// to its neighbour, and finds a call later.
    pub fn set_pause(&mut self, pause: Duration) {
        self.pause = pause;
    }

    /// The calls that the last turn claimed; their frames can be read until the next.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// Settles the last claims, publishes `replies` (a buffer of whole frames) and claims what is to be run next, searching for at most `spin`. A thread that
    /// searches on a core which somebody else wants as well may move to another of its cores.
    ///
    /// # Errors
    /// The buffer holds a damaged frame, or the memory is corrupt.
    pub fn turn(&mut self, replies: &[u8], spin: Duration) -> Result<Turn> {
        let turn = self.step(replies, spin)?;
        // After the claim: what was aborted before a call was made is known before that call runs.
        self.aborts = self.host.aborts();
        Ok(turn)
    }

    fn step(&mut self, replies: &[u8], spin: Duration) -> Result<Turn> {
        if std::mem::take(&mut self.armed) {
            self.own().bell().disarm();
        }
        if self.own().is_lost(self.epoch) {
            // Another worker may write into the reply ring by now.
            return Ok(Turn::Stop);
        }
        self.meter.count_turn();
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
        let mut crowding = std::mem::take(&mut self.crowding);
        let found = look(
            spin,
            self.pause,
            || crowding.give_up_core(),
            || {
                if !self.backlog.is_empty() {
                    self.settle(&[])?;
                }
                Ok::<_, SchedError>(self.claim()? || self.must_stop())
            },
        );
        self.crowding = crowding;
        self.own().set_activity(Activity::Running);
        if found? && !self.claims.is_empty() {
            return self.start();
        }
        if self.must_stop() {
            return self.stop();
        }
        Ok(Turn::Idle)
    }

    fn own(&self) -> &Cell {
        &self.lanes[self.index].cell
    }

    /// Whether this worker still has its place: not if the host has settled its death while it lived on, where a thread cannot be ended. Then what it writes
    /// outside its own memory may meet its successor's.
    #[must_use]
    pub fn owns_place(&self) -> bool {
        !self.own().is_lost(self.epoch)
    }

    fn must_stop(&self) -> bool {
        self.own().asked_to_stop() || self.own().is_lost(self.epoch)
    }

    /// Leaves to others what was meant for this worker.
    fn stop(&mut self) -> Result<Turn> {
        self.wake_a_peer()?;
        Ok(Turn::Stop)
    }
}
