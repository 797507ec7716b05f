//! The host's large payloads: blocks it sends with calls, and blocks of workers that it receives with replies.
//!
//! A block that was sent belongs to whoever runs the call, and comes back when that one gives it back. Until the call is settled the host
//! remembers which call it went with, so that the blocks of a dead worker's calls are not lost.

use core::sync::atomic::{Ordering, fence};
use std::collections::HashMap;
use std::sync::Arc;

use knit_ring::FrameHeader;
use knit_ring::heap::{Block, BlockArena, BlockView, Locator};
use knit_shm::Area;

use super::Host;
use crate::bells::Shared;
use crate::blocks::{self, BlockPayload};
use crate::cell::Cell;
use crate::error::{Result, SchedError};
use crate::frames::Frame;

pub(crate) struct HostBlocks {
    shared: Arc<Shared>,
    arena: BlockArena,
    /// Blocks that will go with a call that is not submitted yet.
    drafts: HashMap<u32, Vec<Locator>>,
    /// Blocks that went with a call, until its number is used again.
    sent: HashMap<u32, Vec<Locator>>,
    /// Views on the workers' arenas, opened when first needed, closed when the worker ends.
    views: Vec<Option<BlockView>>,
}

impl HostBlocks {
    pub(crate) fn new(shared: Arc<Shared>) -> Result<Self> {
        let area = shared.layout().arena_area(shared.region(), 0)?;
        let arena = BlockArena::create(area, 0)?;
        let views = (0..shared.layout().workers()).map(|_| None).collect();
        Ok(Self {
            arena,
            drafts: HashMap::new(),
            sent: HashMap::new(),
            views,
            shared,
        })
    }

    /// Bytes of the longest payload that ever fits.
    pub(crate) fn capacity(&self) -> usize {
        usize::try_from(self.arena.capacity()).unwrap_or(usize::MAX)
    }

    /// Copies a frame's payload into a new block. None if there is no room at present.
    pub(crate) fn store(
        &mut self,
        frame: &Frame<'_>,
    ) -> Result<Option<(FrameHeader, BlockPayload)>> {
        blocks::store(&mut self.arena, self.shared.region(), frame)
    }

    /// A block for the caller to fill. None if there is no room at present, or never is.
    pub(crate) fn alloc(&mut self, bytes: usize) -> Result<Option<Block>> {
        blocks::alloc(&mut self.arena, bytes)
    }

    /// Takes back a block that was not sent.
    pub(crate) fn free(&mut self, locator: Locator) -> Result<()> {
        Ok(self.arena.free(locator)?)
    }

    /// Remembers that a block will go with a call.
    pub(crate) fn assign(&mut self, call: u32, locator: Locator) {
        self.drafts.entry(call).or_default().push(locator);
    }

    /// A call is submitted under a number that a settled one may have had before.
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

    /// Whoever had the call is dead: takes back what it did not give back itself.
    pub(crate) fn died(&mut self, call: u32) {
        for locator in self.sent.remove(&call).into_iter().flatten() {
            // An error says that it had been given back.
            let _ = self.arena.free(locator);
        }
    }

    /// Gives pages back after a burst; for when there is nothing else to do.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.arena.settle()?;
        Ok(())
    }

    /// Frees what a worker that has ended left in its arena.
    pub(crate) fn reset(&mut self, worker: usize) -> Result<()> {
        self.views[worker] = None;
        let (area, index) = self.arena_of(worker)?;
        blocks::free_all(area, index)
    }

    pub(crate) fn forget_view(&mut self, worker: usize) {
        self.views[worker] = None;
    }

    /// The view on a worker's arena.
    pub(crate) fn view(&mut self, worker: usize) -> Result<&BlockView> {
        let (area, index) = self.arena_of(worker)?;
        let view = &mut self.views[worker];
        if view.is_none() {
            *view = Some(BlockView::open(area, index)?);
        }
        Ok(view.as_ref().expect("opened above"))
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

    fn arena_of(&self, worker: usize) -> Result<(Area, u16)> {
        let area = self
            .shared
            .layout()
            .arena_area(self.shared.region(), worker + 1)?;
        Ok((
            area,
            u16::try_from(worker + 1).expect("at most 1024 workers"),
        ))
    }
}

impl Host {
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
