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
//! a private table by call number ([`crate::takers`]). [`Host::retire`] puts both together: exactly the calls that the dead worker had
//! taken. Calls that nobody had claimed stay where they are and are run by others or by the replacement.
//!
//! A call number may be used again as soon as its call is answered, with another generation in its frame.

mod blocks;
mod places;

use blocks::HostBlocks;

use core::sync::atomic::{Ordering, fence};
use std::sync::Arc;
use std::time::{Duration, Instant};

use knit_ring::heap::{Block, Locator};
use knit_ring::{FrameHeader, FrameProducer, RingError, Span, StreamConsumer};
use knit_shm::Region;

use crate::backlog::Backlog;
use crate::bells::{HostWaker, Lanes, Shared};
use crate::blocks as payloads;
use crate::cell::{Cell, HostWords, State};
use crate::error::{Result, SchedError};
use crate::frames::{Frame, Message, flag, frame_at};
use crate::layout::{Config, Layout};
use crate::spin::{LONGEST, SpinLimit, look};
use crate::takers::Takers;
use crate::wake::{self, Crew as _};

/// How a [`Host`] treats its lanes.
#[derive(Debug, Clone, Copy)]
pub struct HostOptions {
    /// Sizes of the memory.
    pub config: Config,
    /// Whether idle workers take calls queued for busy ones.
    pub steal: bool,
    /// The longest that one look for replies may spin.
    pub spin: Duration,
}

impl Default for HostOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // With one core, whoever spins keeps the other from answering.
        Self {
            config: Config::default(),
            steal: true,
            spin: if cores > 1 { LONGEST } else { Duration::ZERO },
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
    unpublished: usize,
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
    next: usize,
    steal: bool,
    backlog: Backlog,
    /// Who had a call whose frame is gone from the ring.
    takers: Takers,
    blocks: HostBlocks,
    inline_limit: usize,
    longest_payload: usize,
    spin: SpinLimit,
    progress: Instant,
    armed: bool,
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
                Ok(Lane {
                    cell: Cell::new(&layout, &region, worker)?,
                    requests,
                    replies: None,
                    shown: None,
                    unpublished: 0,
                })
            })
            .collect::<Result<_>>()?;
        let words = HostWords::new(&region)?;
        words.set_steal(options.steal);
        let inline_limit = payloads::inline_limit(layout.config().request_granules);
        let shared = Shared::new(region, layout);
        let blocks = HostBlocks::new(shared.clone())?;
        Ok(Self {
            words,
            lanes,
            next: 0,
            steal: options.steal,
            backlog: Backlog::default(),
            takers: Takers::default(),
            longest_payload: blocks.capacity(),
            blocks,
            inline_limit,
            spin: SpinLimit::new(options.spin),
            progress: Instant::now(),
            armed: false,
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

    /// The process id of the worker in a place, 0 if none has attached.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn pid(&self, worker: usize) -> Result<u32> {
        Ok(self.lane(worker)?.cell.pid())
    }

    /// Hands over every frame of a submission buffer, then wakes who is needed. Never blocks: what finds no room waits in the backlog.
    ///
    /// # Errors
    /// The buffer holds a damaged frame or one longer than [`Host::longest_payload`] (those before it were handed over, it and those after it
    /// were not), or the memory is corrupt.
    pub fn submit(&mut self, buffer: &[u8]) -> Result<()> {
        if self.armed {
            self.disarm();
        }
        let mut placed = self.move_backlog()?;
        let mut at = 0;
        let mut outcome = Ok(());
        while at < buffer.len() {
            let Some(frame) = frame_at(buffer, at) else {
                outcome = Err(SchedError::BadSubmission(at));
                break;
            };
            at += frame.padded_len();
            if frame.payload().len() > self.longest_payload() {
                outcome = Err(SchedError::TooLong {
                    bytes: frame.payload().len(),
                    limit: self.longest_payload(),
                });
                break;
            }
            self.expect(frame.header());
            let now = self.backlog.is_empty();
            match if now { self.place(&frame) } else { Ok(false) } {
                Ok(true) => placed += 1,
                Ok(false) => self.backlog.push(&frame),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        self.publish(placed);
        outcome
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

    fn expect(&mut self, header: &FrameHeader) {
        self.takers.expect(header);
        self.blocks.submitted(header.call);
    }

    /// Moves waiting calls into the rings, without publishing them.
    fn move_backlog(&mut self) -> Result<usize> {
        if self.backlog.is_empty() {
            return Ok(0);
        }
        let mut backlog = std::mem::take(&mut self.backlog);
        let moved = backlog.drain(|frame| self.place(frame));
        self.backlog = backlog;
        moved
    }

    /// Writes a frame into a lane with room, without publishing it.
    fn place(&mut self, frame: &Frame<'_>) -> Result<bool> {
        if frame.bytes().len() > self.inline_limit {
            let Some((header, payload)) = self.blocks.store(frame)? else {
                return Ok(false);
            };
            let placed =
                self.place_in_lane(|ring| ring.push(&header, bytemuck::bytes_of(&payload)))?;
            let locator = Locator::from_raw(payload.locator);
            if placed {
                self.blocks.sent(header.call, locator);
            } else {
                self.blocks.free(locator)?;
            }
            return Ok(placed);
        }
        self.place_in_lane(|ring| ring.push_raw(frame.bytes()))
    }

    fn place_in_lane(
        &mut self,
        mut push: impl FnMut(&mut FrameProducer) -> Result<(), RingError>,
    ) -> Result<bool> {
        let takers = &mut self.takers;
        let count = self.lanes.len();
        for turn in 0..count {
            let index = (self.next + turn) % count;
            let lane = &mut self.lanes[index];
            if !matches!(
                lane.cell.state(),
                State::Starting | State::Attaching | State::Ready
            ) {
                continue;
            }
            let mut pushed = push(&mut lane.requests);
            if matches!(pushed, Err(RingError::Full)) {
                lane.requests
                    .reclaim(|header, owner| takers.note(header, owner))?;
                pushed = push(&mut lane.requests);
            }
            match pushed {
                Ok(()) => {
                    lane.unpublished += 1;
                    self.next = (index + 1) % count;
                    return Ok(true);
                }
                Err(RingError::Full) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// Publishes what was placed and wakes as many sleepers as it needs.
    fn publish(&mut self, placed: usize) {
        if placed == 0 {
            return;
        }
        self.progress = Instant::now();
        for lane in self.lanes.iter_mut().filter(|lane| lane.unpublished > 0) {
            lane.requests.publish();
        }
        let crew = Lanes::new(&self.shared, &self.lanes);
        let got = |worker: usize| self.lanes[worker].unpublished > 0;
        if self.steal {
            wake::for_new_calls(&crew, placed, got);
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

    /// Gives back the space of the replies shown before, and shows those that are there now. Also moves the backlog.
    ///
    /// # Errors
    /// A worker has damaged its reply ring: see [`RingError::Corrupt`].
    pub fn poll(&mut self, replies: &mut Vec<Replies>) -> Result<()> {
        replies.clear();
        self.give_back_space()?;
        for (worker, lane) in self.lanes.iter_mut().enumerate() {
            if lane.replies.is_none() && !lane.attach(&self.shared, worker)? {
                continue;
            }
            let Some(ring) = lane.replies.as_mut() else {
                continue;
            };
            if let Some(span) = ring.readable()? {
                lane.shown = Some(span.len);
                replies.push(Replies {
                    worker,
                    offset: span.offset,
                    len: span.len as usize,
                });
            }
        }
        if !replies.is_empty() {
            let now = Instant::now();
            self.spin.record(now.duration_since(self.progress));
            self.progress = now;
        }
        if !self.backlog.is_empty() {
            let placed = self.move_backlog()?;
            self.publish(placed);
        }
        Ok(())
    }

    fn give_back_space(&mut self) -> Result<()> {
        let mut any = false;
        for lane in &mut self.lanes {
            if let (Some(len), Some(ring)) = (lane.shown.take(), lane.replies.as_mut()) {
                ring.consume(len)?;
                any = true;
            }
        }
        if !any {
            return Ok(());
        }
        // SeqCst fence: between giving space back and the look at who wants it. Pairs with the fence in the worker's `arm`.
        fence(Ordering::SeqCst);
        for (worker, lane) in self.lanes.iter().enumerate() {
            if lane.cell.wants_room() {
                self.shared.wake_worker(worker, &lane.cell);
            }
        }
        Ok(())
    }

    /// Polls until there are replies, a [`HostWaker`] calls, or the adaptive limit (at most `longest`) is over. Returns whether there are
    /// replies.
    ///
    /// # Errors
    /// As [`Host::poll`].
    pub fn spin(&mut self, replies: &mut Vec<Replies>, longest: Duration) -> Result<bool> {
        self.poll(replies)?;
        let limit = self.spin.limit().min(longest);
        if !replies.is_empty() || limit.is_zero() {
            return Ok(!replies.is_empty());
        }
        let news = || Ok::<_, SchedError>(self.any_reply() || self.shared.is_called());
        if look(limit, news)? {
            self.poll(replies)?;
        }
        Ok(!replies.is_empty())
    }

    fn any_reply(&self) -> bool {
        self.lanes.iter().any(|lane| match &lane.replies {
            Some(ring) => !ring.is_empty(),
            None => lane.cell.state() == State::Ready,
        })
    }

    /// Announces that the host is about to sleep. Returns false, and takes the announcement back, if there is something to do first, or a
    /// [`HostWaker`] has called since the last time: look then at what it may have called for.
    ///
    /// # Errors
    /// As [`Host::poll`].
    pub fn arm(&mut self) -> Result<bool> {
        self.give_back_space()?;
        self.blocks.settle()?;
        self.words.set_backlog(!self.backlog.is_empty());
        // Contains the SeqCst fence that pairs with the one in `Worker::turn`.
        self.words.bell().arm();
        self.armed = true;
        let placed = self.move_backlog()?;
        self.publish(placed);
        if placed > 0 {
            self.words.set_backlog(!self.backlog.is_empty());
        }
        if self.shared.take_called() || self.any_reply() {
            self.disarm();
            return Ok(false);
        }
        Ok(true)
    }

    /// Takes the announcement back. To be called when the host wakes for whatever reason.
    pub fn disarm(&mut self) {
        self.armed = false;
        self.words.bell().disarm();
        self.words.set_backlog(false);
    }

    /// Sleeps until replies are there, a [`HostWaker`] calls, or the time is over; for hosts without an event loop. Returns whether there
    /// are replies.
    ///
    /// # Errors
    /// As [`Host::poll`], and what the system says about waiting.
    pub fn wait(&mut self, replies: &mut Vec<Replies>, timeout: Option<Duration>) -> Result<bool> {
        if self.spin(replies, LONGEST)? {
            return Ok(true);
        }
        if self.arm()? {
            self.words.bell().wait(timeout)?;
            self.disarm();
        }
        self.poll(replies)?;
        Ok(!replies.is_empty())
    }

    /// Private copies of what the last poll showed: each reply's header (without [`flag::BLOCK`]) and its payload. For hosts that do
    /// not read in place.
    ///
    /// # Errors
    /// A worker has damaged its reply ring, or names a block that is not there.
    pub fn read(&mut self, replies: &[Replies]) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        for span in replies {
            let Some(ring) = &self.lane(span.worker)?.replies else {
                continue;
            };
            for frame in ring.frames(Span {
                offset: span.offset,
                len: span.len as u32,
            }) {
                let frame = frame?;
                let mut payload = Vec::new();
                ring.payload(&frame, &mut payload)?;
                messages.push((
                    span.worker,
                    Message {
                        header: frame.header,
                        payload,
                    },
                ));
            }
        }
        messages
            .into_iter()
            .map(|(worker, message)| self.fetch(worker, message))
            .collect()
    }

    fn fetch(&mut self, worker: usize, mut message: Message) -> Result<Message> {
        if message.header.flags & flag::BLOCK != 0 {
            let region = self.shared.region().clone();
            message.payload = payloads::take(self.blocks.view(worker)?, &region, &message.payload)?;
            message.header.flags &= !flag::BLOCK;
            message.header.payload_len = message.payload.len() as u32;
        }
        Ok(message)
    }

    /// The bytes of a block that a reply names.
    ///
    /// # Errors
    /// The locator does not name a live block of that worker.
    pub fn open_block(&mut self, worker: usize, locator: u64) -> Result<Block> {
        self.lane(worker)?;
        Ok(self
            .blocks
            .view(worker)?
            .resolve(Locator::from_raw(locator))?)
    }

    /// Gives such a block back to the worker it came from.
    ///
    /// # Errors
    /// The locator does not name a live block of that worker.
    pub fn close_block(&mut self, worker: usize, locator: u64) -> Result<()> {
        let cell = &self
            .lanes
            .get(worker)
            .ok_or(SchedError::NoSuchWorker(worker))?
            .cell;
        self.blocks
            .give_back(worker, cell, Locator::from_raw(locator))
    }

    /// A block for the caller to fill and to send with a call. None if there is no room at present.
    ///
    /// # Errors
    /// The system has no memory left.
    pub fn alloc_block(&mut self, bytes: usize) -> Result<Option<Block>> {
        self.blocks.alloc(bytes)
    }

    /// Takes back such a block: it is not sent.
    ///
    /// # Errors
    /// The locator does not name a block that was allocated and not sent.
    pub fn free_block(&mut self, locator: u64) -> Result<()> {
        self.blocks.free(Locator::from_raw(locator))
    }

    /// Says that such a block goes with a call, before the call is submitted: if whoever takes the call dies, the block comes back.
    pub fn assign_block(&mut self, call: u32, locator: u64) {
        self.blocks.assign(call, Locator::from_raw(locator));
    }

    fn lane(&self, worker: usize) -> Result<&Lane> {
        self.lanes
            .get(worker)
            .ok_or(SchedError::NoSuchWorker(worker))
    }
}
