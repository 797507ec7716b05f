//! The host's large payloads: blocks it sends with calls, and blocks of workers that it receives with replies.
//!
//! A block that was sent belongs to whoever runs the call, and comes back when that one gives it back. Until the call is settled the host
//! remembers which call it went with, so that the blocks of a dead worker's calls are not lost. What a worker's program keeps beyond the call is
//! noted for that worker, for the same reason.

use core::sync::atomic::{Ordering, fence};
use std::collections::HashMap;
use std::sync::Arc;

use knit_ring::FrameHeader;
use knit_ring::heap::{Block, Locator};

use super::Host;
use crate::bells::Shared;
use crate::blocks::{self, BlockPayload};
use crate::cell::Cell;
use crate::error::{Result, SchedError};
use crate::frames::Frame;
use crate::heap::{self, Loan, LoanBook, OwnHeap, PeerHeap};

pub(crate) struct HostBlocks {
    shared: Arc<Shared>,
    heap: OwnHeap,
    /// Blocks that will go with a call that is not submitted yet.
    drafts: HashMap<u32, Vec<Locator>>,
    /// Blocks that went with a call, until its number is used again.
    sent: HashMap<u32, Vec<Locator>>,
    /// Blocks that a worker's program holds, and did when its call was answered.
    kept: Vec<Vec<Locator>>,
    /// Views on the workers' heaps, opened when first needed, closed when the worker ends.
    views: Vec<Option<PeerHeap>>,
    /// Loans that the host's own program holds: of workers, and of the host itself.
    loans: LoanBook,
}

impl HostBlocks {
    pub(crate) fn new(shared: Arc<Shared>) -> Result<Self> {
        let heap = OwnHeap::open(shared.layout(), shared.region(), 0)?;
        let workers = shared.layout().workers();
        Ok(Self {
            heap,
            drafts: HashMap::new(),
            sent: HashMap::new(),
            kept: vec![Vec::new(); workers],
            views: vec![None; workers],
            loans: LoanBook::default(),
            shared,
        })
    }

    /// Bytes of the longest payload that ever fits.
    pub(crate) fn capacity(&self) -> usize {
        self.heap.capacity()
    }

    /// Copies a frame's payload into a new block. None if there is no room at present.
    pub(crate) fn store(
        &mut self,
        frame: &Frame<'_>,
    ) -> Result<Option<(FrameHeader, BlockPayload)>> {
        blocks::store(&mut self.heap.main, self.shared.region(), frame)
    }

    /// A block for the caller to fill. None if there is no room at present, or never is.
    pub(crate) fn alloc(&mut self, bytes: usize) -> Result<Option<Block>> {
        self.heap.alloc(bytes)
    }

    /// Takes back a block that was not sent.
    pub(crate) fn free(&mut self, locator: Locator) -> Result<()> {
        self.heap.free(locator)
    }

    /// A block for the host's own program to fill, and perhaps to send later. None if there is no room at present, or never is.
    pub(crate) fn lend(&mut self, bytes: usize) -> Result<Option<Loan>> {
        let Some(block) = self.heap.lend(bytes)? else {
            return Ok(None);
        };
        let own = PeerHeap::open(self.shared.layout(), self.shared.region(), 0)?;
        own.hold(&self.shared, &self.loans, block.locator)
    }

    /// The program gives up such a block, which is sent. False if it does not hold it.
    pub(crate) fn take_over(&mut self, locator: Locator) -> bool {
        self.loans.strike(locator)
    }

    /// A worker has answered a call, and its program holds blocks that came with it.
    pub(crate) fn kept(&mut self, worker: usize, call: u32) {
        let Some(sent) = self.sent.remove(&call) else {
            return;
        };
        let kept = &mut self.kept[worker];
        if kept.len() == kept.capacity() {
            // Before it grows: most of them are back by now.
            kept.retain(|locator| self.heap.is_out(*locator));
        }
        kept.extend(
            sent.into_iter()
                .filter(|locator| self.heap.is_out(*locator)),
        );
    }

    /// A worker is dead: takes back what its program held.
    pub(crate) fn let_go(&mut self, worker: usize) {
        for locator in std::mem::take(&mut self.kept[worker]) {
            // An error says that it had been given back.
            let _ = self.heap.free(locator);
        }
    }

    /// Remembers that a block will go with a call.
    pub(crate) fn assign(&mut self, call: u32, locator: Locator) {
        self.drafts.entry(call).or_default().push(locator);
    }

    /// A call is submitted under a number that a settled one may have had before.
    #[inline]
    pub(crate) fn submitted(&mut self, call: u32) {
        if !self.sent.is_empty() {
            self.sent.remove(&call);
        }
        if !self.drafts.is_empty() {
            if let Some(blocks) = self.drafts.remove(&call) {
                self.sent.insert(call, blocks);
            }
        }
    }

    /// Remembers that a block went with a call that was submitted before.
    pub(crate) fn sent(&mut self, call: u32, locator: Locator) {
        self.sent.entry(call).or_default().push(locator);
    }

    /// A call that was not submitted is not going to be: takes back what was to go with it.
    pub(crate) fn withdrawn(&mut self, call: u32) {
        for locator in self.drafts.remove(&call).into_iter().flatten() {
            // An error says that it had been given back.
            let _ = self.heap.free(locator);
        }
    }

    /// Whoever had the call is dead: takes back what it did not give back itself.
    pub(crate) fn died(&mut self, call: u32) {
        for locator in self.sent.remove(&call).into_iter().flatten() {
            // An error says that it had been given back.
            let _ = self.heap.free(locator);
        }
    }

    /// Gives pages back after a burst; for when there is nothing else to do.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.heap.settle()
    }

    pub(crate) fn trim(&mut self) -> Result<()> {
        self.heap.trim()
    }

    /// Frees what a worker that has ended left in its heap.
    pub(crate) fn reset(&mut self, worker: usize) -> Result<()> {
        self.views[worker] = None;
        let (layout, region) = (self.shared.layout(), self.shared.region());
        heap::free_all(layout, region, worker + 1, &self.loans)
    }

    pub(crate) fn forget_view(&mut self, worker: usize) {
        self.views[worker] = None;
    }

    /// The view on a worker's heap.
    pub(crate) fn view(&mut self, worker: usize) -> Result<&PeerHeap> {
        let view = &mut self.views[worker];
        if view.is_none() {
            let (layout, region) = (self.shared.layout(), self.shared.region());
            *view = Some(PeerHeap::open(layout, region, worker + 1)?);
        }
        Ok(view.as_ref().expect("opened above"))
    }

    /// Keeps a worker's block beyond the reply that brought it. None if it is not one to keep.
    pub(crate) fn hold(&mut self, worker: usize, locator: Locator) -> Result<Option<Loan>> {
        let (shared, loans) = (self.shared.clone(), self.loans.clone());
        self.view(worker)?.hold(&shared, &loans, locator)
    }

    /// Gives a block back to its worker, and tells it if it waits for room.
    pub(crate) fn give_back(&mut self, worker: usize, cell: &Cell, locator: Locator) -> Result<()> {
        self.view(worker)?.give_back(locator)?;
        // SeqCst fence: between giving the block back and the look at who wants room; pairs with the one in the worker's `arm`.
        fence(Ordering::SeqCst);
        if cell.wants_room() {
            self.shared.wake_worker(worker, cell);
        }
        Ok(())
    }
}

impl Host {
    /// The bytes of a block that a reply names.
    ///
    /// # Errors
    /// The locator does not name a live block of that worker.
    pub fn open_block(&mut self, worker: usize, locator: u64) -> Result<Block> {
        self.lane(worker)?;
        self.blocks
            .view(worker)?
            .resolve(Locator::from_raw(locator))
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

    /// Keeps a block that a reply names beyond that reply. None if it is not one to keep: it must be copied out and closed.
    ///
    /// # Errors
    /// The locator does not name a live block of that worker.
    pub fn hold_block(&mut self, worker: usize, locator: u64) -> Result<Option<Loan>> {
        self.lane(worker)?;
        self.blocks.hold(worker, Locator::from_raw(locator))
    }

    /// A worker has answered a call with [`flag::KEPT`](crate::frames::flag::KEPT): its program holds blocks that came with it. They come back
    /// when that lets go of them, or when the worker dies.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn kept(&mut self, worker: usize, call: u32) -> Result<()> {
        self.lane(worker)?;
        self.blocks.kept(worker, call);
        Ok(())
    }

    /// A block for the program of this host, to be filled, and to be sent by [`Host::take_over_block`] without being copied. None if there is no room.
    ///
    /// # Errors
    /// The system has no memory left.
    pub fn lend_block(&mut self, bytes: usize) -> Result<Option<Loan>> {
        self.blocks.lend(bytes)
    }

    /// Such a block is sent: from now on it is like one of [`Host::alloc_block`], and dropping the [`Loan`] changes nothing. False if the program
    /// does not hold it.
    pub fn take_over_block(&mut self, locator: u64) -> bool {
        self.blocks.take_over(Locator::from_raw(locator))
    }

    /// Has the pages of the lowest `bytes` of every heap set up now, and keeps them while the pool lives: nobody waits for fresh pages below that, and
    /// there is no lack of memory there later. More than a heap has means all of it. To be called before places are opened: heaps of those that
    /// have had a worker are left alone.
    ///
    /// # Errors
    /// The system has not so much memory.
    pub fn reserve(&mut self, bytes: u64) -> Result<()> {
        self.blocks.heap.reserve(bytes)?;
        for (index, lane) in self.lanes.iter().enumerate() {
            if lane.begun == 0 {
                // Its worker takes it over.
                OwnHeap::open(self.shared.layout(), self.shared.region(), index + 1)?
                    .reserve(bytes)?;
            }
        }
        Ok(())
    }

    /// Gives all pages of the host's heap back that no payload is in. For when no large one was sent for a while: the next finds fresh pages, which
    /// cost more.
    ///
    /// # Errors
    /// The system refuses; nothing is lost by it.
    pub fn trim(&mut self) -> Result<()> {
        self.blocks.trim()
    }

    /// A block for the caller to fill and to send with a call. None if there is no room at present.
    ///
    /// # Errors
    /// The system has no memory left.
    pub fn alloc_block(&mut self, bytes: usize) -> Result<Option<Block>> {
        // The call would wait behind those in the backlog, which may wait for the very room that its block takes.
        if !self.backlog.is_empty() {
            return Ok(None);
        }
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
}
