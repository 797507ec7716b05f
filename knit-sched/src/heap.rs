//! A participant's block heap: two arenas, side by side in the region.
//!
//! | arena | its blocks | if it is full |
//! |---|---|---|
//! | main | are copied out by whoever receives them, and given back at once | the message waits, since room comes back soon |
//! | loans | are shown to the receiver's program as they are, and given back when that lets go of them: perhaps never | the block comes from the main arena: nobody waits |
//!
//! So what a program may hold for as long as it likes is never what a call waits for: however long a collector takes, and however many buffers a
//! task keeps, calls of any size go on.
//!
//! A locator says by its arena's number which of the two a block is from.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use knit_ring::heap::{Block, BlockArena, BlockView, HeapError, Locator};
use knit_shm::Region;

use crate::bells::Shared;
use crate::blocks;
use crate::error::Result;
use crate::layout::Layout;

/// Payloads from this many bytes are lent: below, copying them out costs less than showing them does.
pub const LENT: usize = 256 * 1024;

/// What is added to the number of a main arena for that of the loans beside it.
const LOANS: u16 = 0x4000;

fn number(arena: usize) -> u16 {
    u16::try_from(arena).expect("at most 1024 workers")
}

/// Whether the block may stay with its receiver.
pub(crate) fn is_loan(locator: Locator) -> bool {
    locator.arena() & LOANS != 0
}

/// One's own heap, to allocate from.
#[derive(Debug)]
pub(crate) struct OwnHeap {
    pub(crate) main: BlockArena,
    loans: BlockArena,
}

impl OwnHeap {
    /// A new heap, or the one that its predecessor in the same place left behind.
    pub(crate) fn open(layout: &Layout, region: &Region, index: usize) -> Result<Self> {
        let number = number(index);
        Ok(Self {
            main: blocks::open_own(layout.arena_area(region, index)?, number)?,
            loans: blocks::open_own(layout.loans_area(region, index)?, number | LOANS)?,
        })
    }

    /// Bytes of the longest payload that ever fits.
    pub(crate) fn capacity(&self) -> usize {
        usize::try_from(self.main.capacity()).unwrap_or(usize::MAX)
    }

    /// A block for the caller to fill: one to lend if it is large enough. None if there is no room at present, or never is.
    pub(crate) fn alloc(&mut self, bytes: usize) -> Result<Option<Block>> {
        if bytes >= LENT {
            if let Some(block) = self.lend(bytes)? {
                return Ok(Some(block));
            }
        }
        blocks::alloc(&mut self.main, bytes)
    }

    /// A block to lend. None if there is no room at present, or never is.
    pub(crate) fn lend(&mut self, bytes: usize) -> Result<Option<Block>> {
        blocks::alloc(&mut self.loans, bytes)
    }

    /// Takes back a block that was not sent, or whose receiver is gone.
    pub(crate) fn free(&mut self, locator: Locator) -> Result<()> {
        Ok(self.arena(locator).free(locator)?)
    }

    /// Whether somebody still has the block.
    pub(crate) fn is_out(&mut self, locator: Locator) -> bool {
        self.arena(locator).is_outstanding(locator)
    }

    /// Has the pages of the lowest `bytes` of both arenas set up, and keeps them.
    pub(crate) fn reserve(&mut self, bytes: u64) -> Result<()> {
        self.main.reserve(bytes)?;
        self.loans.reserve(bytes)?;
        Ok(())
    }

    /// Gives pages back after a burst; for when there is nothing else to do.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.main.settle()?;
        self.loans.settle()?;
        Ok(())
    }

    /// Gives all pages back that no block is in.
    pub(crate) fn trim(&mut self) -> Result<()> {
        self.main.trim()?;
        self.loans.trim()?;
        Ok(())
    }

    fn arena(&mut self, locator: Locator) -> &mut BlockArena {
        if is_loan(locator) {
            &mut self.loans
        } else {
            &mut self.main
        }
    }
}

/// Frees the blocks of a dead worker's heap: what it had sent was received before, and what it had not sent nobody knows of. Those that the host's
/// program still holds stay.
pub(crate) fn free_all(
    layout: &Layout,
    region: &Region,
    index: usize,
    held: &LoanBook,
) -> Result<()> {
    let number = number(index);
    let main = BlockArena::recover(layout.arena_area(region, index)?, number, |_| false);
    let loans = BlockArena::recover(
        layout.loans_area(region, index)?,
        number | LOANS,
        |locator| held.has(locator),
    );
    for outcome in [main, loans] {
        match outcome {
            // Never used: nothing to free.
            Ok(_) | Err(HeapError::BadHeader(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Somebody else's heap, to receive from.
#[derive(Clone, Debug)]
pub(crate) struct PeerHeap {
    main: BlockView,
    loans: BlockView,
}

impl PeerHeap {
    /// Opens the heap that its owner has made.
    pub(crate) fn open(layout: &Layout, region: &Region, index: usize) -> Result<Self> {
        let number = number(index);
        Ok(Self {
            main: BlockView::open(layout.arena_area(region, index)?, number)?,
            loans: BlockView::open(layout.loans_area(region, index)?, number | LOANS)?,
        })
    }

    /// Where a block is.
    pub(crate) fn resolve(&self, locator: Locator) -> Result<Block> {
        Ok(self.view(locator).resolve(locator)?)
    }

    /// Gives a block back.
    pub(crate) fn give_back(&self, locator: Locator) -> Result<()> {
        Ok(self.view(locator).give_back(locator)?)
    }

    /// Keeps a block beyond the message that brought it. None if it is not one to keep.
    pub(crate) fn hold(
        &self,
        shared: &Arc<Shared>,
        book: &LoanBook,
        locator: Locator,
    ) -> Result<Option<Loan>> {
        if !is_loan(locator) {
            return Ok(None);
        }
        let block = self.loans.resolve(locator)?;
        Ok(Some(Loan::new(
            shared.clone(),
            self.loans.clone(),
            block,
            book,
        )))
    }

    fn view(&self, locator: Locator) -> &BlockView {
        if is_loan(locator) {
            &self.loans
        } else {
            &self.main
        }
    }
}

/// The loans that one participant's program holds, by locator.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoanBook(Arc<Mutex<HashSet<u64>>>);

impl LoanBook {
    fn enter(&self, locator: Locator) {
        self.set().insert(locator.raw());
    }

    /// Strikes a loan out. False if it was not there.
    pub(crate) fn strike(&self, locator: Locator) -> bool {
        self.set().remove(&locator.raw())
    }

    fn has(&self, locator: Locator) -> bool {
        self.set().contains(&locator.raw())
    }

    fn set(&self) -> std::sync::MutexGuard<'_, HashSet<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A block in the hands of a program. Dropping it, on any thread, gives it back. It keeps the pool's memory mapped, so it may outlive the pool.
pub struct Loan {
    shared: Arc<Shared>,
    view: BlockView,
    block: Block,
    book: LoanBook,
}

impl Loan {
    pub(crate) fn new(shared: Arc<Shared>, view: BlockView, block: Block, book: &LoanBook) -> Self {
        book.enter(block.locator);
        Self {
            shared,
            view,
            block,
            book: book.clone(),
        }
    }

    /// The block: its place is counted from the region's start.
    #[must_use]
    pub fn block(&self) -> &Block {
        &self.block
    }

    /// The pool's memory.
    #[must_use]
    pub fn region(&self) -> &Region {
        self.shared.region()
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        // Struck out before: it was sent on, and is its receiver's.
        if self.book.strike(self.block.locator) {
            // An error says that the block is gone already: its lender took it back when this participant was given up.
            let _ = self.view.give_back(self.block.locator);
        }
    }
}
