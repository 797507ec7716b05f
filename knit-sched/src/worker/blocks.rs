//! Blocks of the host that calls name, and the worker's own for replies.

use knit_ring::heap::{Block, Locator};

use super::Worker;
use crate::error::Result;
use crate::heap::Loan;

impl Worker {
    /// The bytes of a block that a call names.
    ///
    /// # Errors
    /// The locator does not name a live block of the host.
    pub fn open_block(&mut self, locator: u64) -> Result<Block> {
        let block = self.host_heap.resolve(Locator::from_raw(locator))?;
        self.meter.count_block_in(block.len);
        Ok(block)
    }

    /// Keeps a block that a call names beyond that call. None if it is not one to keep: it must be copied out and closed. Who runs the call says in
    /// its reply, by [`flag::KEPT`](crate::frames::flag::KEPT), that the call's blocks did not all come back.
    ///
    /// # Errors
    /// The locator does not name a live block of the host.
    pub fn hold_block(&mut self, locator: u64) -> Result<Option<Loan>> {
        let loan = self
            .host_heap
            .hold(&self.shared, &self.loans, Locator::from_raw(locator))?;
        if let Some(loan) = &loan {
            self.meter.count_block_in(loan.block().len);
        }
        Ok(loan)
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
        // Or the heap is a successor's by now.
        if !self.backlog.is_empty() || !self.owns_place() {
            return Ok(None);
        }
        let block = self.heap.alloc(bytes)?;
        if block.is_some() {
            self.meter.count_block_out(bytes);
        }
        Ok(block)
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
    pub fn close_block(&mut self, locator: u64) -> Result<()> {
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
