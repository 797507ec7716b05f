//! Blocks that outlive the call that brought them: shown to a receiver's program in place, and given back when that lets go.

use core::sync::atomic::{Ordering, fence};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use knit_ring::heap::{Block, BlockView, Locator};

use crate::bells::Shared;
use crate::cell::{Cell, HostWords};
use crate::error::Result;

/// Blocks of workers that the host's program holds, by raw locator: a dead worker's arena keeps them.
pub(crate) type HeldSet = Arc<Mutex<HashSet<u64>>>;

/// Who waits for room in the arena that a block came from.
pub(crate) enum Lender {
    /// The host, with calls in its backlog.
    Host(HostWords),
    /// A worker, with replies in its backlog.
    Worker(usize, Cell, HeldSet),
    /// Nobody is told: the holder lent it to itself, and looks before it allocates.
    Oneself,
}

/// A block in the hands of a receiver. Dropping it, on any thread, gives it back and tells a lender who waits for room. It keeps the
/// pool's memory mapped, so it may outlive the pool.
pub struct HeldBlock {
    shared: Arc<Shared>,
    view: BlockView,
    block: Block,
    lender: Lender,
    armed: bool,
}

impl HeldBlock {
    pub(crate) fn new(
        shared: Arc<Shared>,
        view: BlockView,
        locator: Locator,
        lender: Lender,
    ) -> Result<Self> {
        let block = view.resolve(locator)?;
        if let Lender::Worker(_, _, held) = &lender {
            held.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(locator.raw());
        }
        Ok(Self {
            shared,
            view,
            block,
            lender,
            armed: true,
        })
    }

    /// Where the block's bytes start, from the region's start, and how many there are.
    #[must_use]
    pub fn span(&self) -> (usize, usize) {
        (self.block.offset, self.block.len)
    }

    /// The pool's memory.
    #[must_use]
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Lets go without giving the block back: it was sent on.
    pub fn disarm(&mut self) {
        self.armed = false;
    }
}

impl Drop for HeldBlock {
    fn drop(&mut self) {
        if let Lender::Worker(_, _, held) = &self.lender {
            held.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&self.block.locator.raw());
        }
        // An error says that the block is gone already: its lender took it back when its receiver was given up.
        if !self.armed || self.view.give_back(self.block.locator).is_err() {
            return;
        }
        // SeqCst fence: between giving the block back and the look at who wants room; pairs with those in `Host::arm` and `Worker::arm`.
        fence(Ordering::SeqCst);
        match &self.lender {
            Lender::Host(words) if words.has_backlog() => self.shared.wake_host(words),
            Lender::Worker(index, cell, _) if cell.wants_room() => {
                self.shared.wake_worker(*index, cell);
            }
            Lender::Host(_) | Lender::Worker(..) | Lender::Oneself => {}
        }
    }
}
