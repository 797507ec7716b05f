//! The host's side of a pool: it hands calls to workers and collects what they answer.
//!
//! One thread owns a [`Host`]. It does not run tasks, does not start workers (it prepares their places, and whoever starts a thread
//! or a process tells that one its number and epoch), and never blocks except in [`Host::wait`].
//!
//! # The way of a call
//!
//! 1. [`Host::submit`] takes whole frames from a submission buffer. Each goes to the next lane in turn (round robin) or, if that one is
//!    full, to any lane with room; if all are full, to the backlog, from where it moves, in order, as soon as there is room.
//! 2. All lanes that got something are published, then sleepers are woken: with stealing as many as there are new calls that no
//!    searching worker will find, without it the owners of the lanes.
//! 3. [`Host::poll`] hands out the replies, a span of whole frames a lane, to be read in place. The next `poll` gives their space back.
//! 4. Nothing there: the caller spins ([`Host::spin`]), then arms ([`Host::arm`]) and sleeps. A worker that publishes a reply, or makes
//!    room while there is a backlog, rings the armed host once.
//!
//! # Who had what
//!
//! While a call is in a ring its state word names who claimed it. When its space is reclaimed, that name moves into
//! a private table by call number ([`crate::calls`]). [`Host::retire`] puts both together: exactly the calls that the dead worker had
//! taken. Calls that nobody had claimed stay where they are and are run by others or by the replacement.
//!
//! A call number may be used again as soon as its call is answered, with another generation in its frame.

mod aborts;
mod blocks;
mod cancel;
mod deadlines;
mod places;
mod receive;
mod send;
mod stats;

use blocks::HostBlocks;
pub use stats::Running;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use knit_ring::{FrameProducer, Span, StreamConsumer};
use knit_shm::Region;

use crate::abort::{AbortSlots, AbortWords};
use crate::backlog::Backlog;
use crate::balancer::{Chooser, LaneLoad, Strategy};
use crate::bells::{HostWaker, Shared};
use crate::blocks as payloads;
use crate::calls::Calls;
use crate::cell::{Cell, HostWords, State};
use crate::clock;
use crate::counters::Counters;
use crate::deadlines::Deadlines;
use crate::error::{Result, SchedError};
use crate::histogram::Histogram;
use crate::layout::{Config, Layout};
use crate::spin::{LONGEST, SpinLimit};
use crate::stamps::Stamps;

/// How a [`Host`] treats its lanes.
#[derive(Debug, Clone, Copy)]
pub struct HostOptions {
    /// Sizes of the memory.
    pub config: Config,
    /// Whether idle workers take calls queued for busy ones.
    pub steal: bool,
    /// Into which lanes calls go.
    pub balancer: Strategy,
    /// Whether workers claim one call at a time, so that what [`Host::running`] names is the one that runs, and nothing else was claimed with it.
    pub alone: bool,
    /// The longest that one look for replies may spin.
    pub spin: Duration,
    /// How many workers the host wakes itself, 1 or more, if idle workers take calls queued for busy ones: as many as there are cores beside its own.
    pub wakes: usize,
}

impl Default for HostOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // With one core, whoever spins keeps the other from answering.
        Self {
            config: Config::default(),
            steal: true,
            balancer: Strategy::default(),
            alone: false,
            spin: if cores > 1 { LONGEST } else { Duration::ZERO },
            wakes: cores.saturating_sub(1).max(1),
        }
    }
}

/// Replies of one lane: whole frames, one after the other, to be read in place until the next [`Host::poll`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replies {
    /// Whose replies they are.
    pub worker: usize,
    /// Where they start, in bytes from the region's start.
    pub offset: usize,
    /// Their bytes, paddings included.
    pub len: usize,
}

impl Lane {
    /// Whether it takes calls: it has a worker, or one is on its way.
    fn is_open(&self) -> bool {
        matches!(
            self.cell.state(),
            State::Starting | State::Attaching | State::Ready
        )
    }

    /// Opens the reply ring if that was not done yet, and looks what can be read in it. None: nothing, at present.
    fn readable(&mut self, shared: &Shared, worker: usize) -> Result<Option<Span>> {
        if self.damaged || (self.replies.is_none() && !self.attach(shared, worker)?) {
            return Ok(None);
        }
        match self.replies.as_mut() {
            Some(ring) => Ok(ring.readable()?),
            None => Ok(None),
        }
    }

    /// Attaches to the reply ring that a worker has made. False if none has yet.
    fn attach(&mut self, shared: &Shared, worker: usize) -> Result<bool> {
        if self.cell.state() != State::Ready {
            return Ok(false);
        }
        self.replies = Some(StreamConsumer::attach(
            shared.layout().replies(shared.region(), worker)?,
        )?);
        Ok(true)
    }
}

struct Lane {
    cell: Cell,
    requests: FrameProducer,
    /// None until a worker has attached and made it.
    replies: Option<StreamConsumer>,
    shown: Option<u32>,
    /// Its worker has damaged the reply ring: nothing more is read from it.
    damaged: bool,
    unpublished: usize,
    /// Whether it took calls when calls were last handed over. Only the host itself opens and closes a lane, between two hand-overs.
    takes: bool,
    stamps: Stamps,
    counters: Counters,
    waits: Histogram,
    runs: Histogram,
    /// Calls that died with the place's workers.
    lost: u64,
    /// How many workers the place has had.
    begun: u64,
}

impl AsRef<Cell> for Lane {
    fn as_ref(&self) -> &Cell {
        &self.cell
    }
}

/// The host of one pool.
pub struct Host {
    shared: Arc<Shared>,
    words: HostWords,
    lanes: Vec<Lane>,
    balancer: Chooser,
    /// What the balancer sees, if it looks.
    loads: Vec<LaneLoad>,
    steal: bool,
    backlog: Backlog,
    calls: Calls,
    /// Calls that were removed before they were handed over, by number and generation.
    removed_ahead: HashSet<(u32, u32)>,
    /// Calls that were handed over, and those that were removed then or since.
    submitted: u64,
    removed: u64,
    /// How many frames of removed calls the backlog still has.
    removed_in_backlog: usize,
    aborts: AbortSlots,
    /// What the clock of deadlines counts from.
    started: Instant,
    deadlines: Deadlines,
    blocks: HostBlocks,
    inline_limit: usize,
    longest_payload: usize,
    spin: SpinLimit,
    /// See [`HostOptions::wakes`].
    wakes: usize,
    /// When calls were handed over or replies found last, in ns.
    progress: u64,
    armed: bool,
    /// Places whose workers have damaged their reply rings, and of which nobody knows yet.
    damaged: Vec<usize>,
    /// What workers are told, for as long as they may start.
    #[cfg(target_os = "linux")]
    boot: Option<crate::heap::Loan>,
}

impl Host {
    /// Creates a pool's memory. Every place in it is still empty: see [`Host::begin`].
    ///
    /// # Errors
    /// A size is outside the limits, or the system has no memory for the region.
    pub fn create(options: HostOptions) -> Result<Self> {
        let layout = Layout::new(options.config)?;
        let region = Region::anonymous(layout.total_bytes())?;
        layout.write(&region)?;
        let lanes = (0..layout.workers())
            .map(|worker| {
                let area = layout.requests(&region, worker)?;
                let mut requests = FrameProducer::create(area, options.config.request_granules)?;
                // Whoever had a frame must be known when its space comes back.
                requests.reclaim_by_hand();
                let cell = Cell::new(&layout, &region, worker)?;
                let (waits, runs) = layout.histograms(&region, worker)?;
                Ok(Lane {
                    counters: cell.counters()?,
                    stamps: Stamps::new(&layout, &region, worker)?,
                    waits,
                    runs,
                    lost: 0,
                    begun: 0,
                    cell,
                    requests,
                    replies: None,
                    shown: None,
                    damaged: false,
                    unpublished: 0,
                    takes: false,
                })
            })
            .collect::<Result<_>>()?;
        let words = HostWords::new(&region)?;
        let abort_words = AbortWords::new(&layout, &region)?;
        words.set_steal(options.steal);
        words.set_alone(options.alone);
        let loads = vec![LaneLoad::default(); layout.workers()];
        let inline_limit = payloads::inline_limit(layout.config().request_granules);
        let shared = Shared::new(region, layout);
        let blocks = HostBlocks::new(shared.clone())?;
        Ok(Self {
            words,
            lanes,
            balancer: Chooser::new(options.balancer),
            loads,
            steal: options.steal,
            backlog: Backlog::default(),
            calls: Calls::default(),
            removed_ahead: HashSet::new(),
            submitted: 0,
            removed: 0,
            removed_in_backlog: 0,
            started: Instant::now(),
            deadlines: Deadlines::default(),
            aborts: AbortSlots::new(abort_words, options.config.abort_slots),
            longest_payload: blocks.capacity(),
            blocks,
            inline_limit,
            spin: SpinLimit::new(options.spin),
            wakes: options.wakes.max(1),
            progress: clock::now(),
            armed: false,
            damaged: Vec::new(),
            #[cfg(target_os = "linux")]
            boot: None,
            shared,
        })
    }

    /// What worker threads of this process need to attach, and where bells are set.
    #[must_use]
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// What wakes this host from other threads of its process.
    #[must_use]
    pub fn waker(&self) -> HostWaker {
        HostWaker::new(self.shared.clone(), self.words.clone())
    }

    /// Whether a [`HostWaker`] has called since this was last asked. To be asked before a look at what it may have called for.
    pub fn take_called(&mut self) -> bool {
        self.shared.take_called()
    }

    /// Number of places for workers.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.lanes.len()
    }

    /// Where a place stands.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn state(&self, worker: usize) -> Result<State> {
        Ok(self.lane(worker)?.cell.state())
    }

    /// The epoch of a place.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn epoch(&self, worker: usize) -> Result<u32> {
        Ok(self.lane(worker)?.cell.epoch())
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn announce_boot(&mut self, locator: u64, bytes: u32, loan: crate::heap::Loan) {
        self.words.set_boot(locator, bytes);
        self.boot = Some(loan);
    }

    /// The process id of the worker in a place, as it sees it itself; 0 if none has attached.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn pid(&self, worker: usize) -> Result<u32> {
        Ok(self.lane(worker)?.cell.pid())
    }

    /// Calls that wait in private memory because every ring is full.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.backlog.len()
    }

    /// Bytes of the longest payload that a call can have.
    #[must_use]
    pub fn longest_payload(&self) -> usize {
        self.longest_payload
    }

    fn lane(&self, worker: usize) -> Result<&Lane> {
        self.lanes
            .get(worker)
            .ok_or(SchedError::NoSuchWorker(worker))
    }
}
