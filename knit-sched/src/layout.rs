//! Where everything lies in a pool's region.
//!
//! ```text
//! header            3 lines: the sizes; the host's doorbell; what the host says to all
//! worker cells      4 lines each: life; doorbell; activity; counters
//! abort words       one u32 a slot
//! histograms        per worker: how long calls waited, how long they ran
//! shape tables      the host's, then one per worker
//! lanes             per worker: request ring, reply ring, a stamp for each granule of the request ring
//! ---- front ends here, on a page boundary: JavaScript sees all above as one ArrayBuffer ----
//! heaps             the host's, then one per worker: for large payloads, a main arena and the loans
//! ```
//!
//! A *line* is 128 bytes whatever the machine's cache says, so that both sides agree. Every offset follows from the sizes in the
//! header: an attaching side reads the sizes once, computes the layout itself and compares it with what the header says, so a
//! damaged header is an error and never an offset that is believed. All words are little-endian; targets of the other kind do not build.
//!
//! The region is sparse: only touched pages take memory.

mod config;
mod header;
#[cfg(test)]
mod tests;

use knit_ring::heap::BlockArena;
use knit_ring::{FrameProducer, StreamProducer};
use knit_shm::{Area, Region};

use crate::error::{Result, SchedError};
use crate::histogram::Histogram;
use crate::stamps::Stamps;

pub use config::Config;
use header::Header;
pub(crate) use header::header_words;

#[cfg(target_endian = "big")]
compile_error!("the shared layout is little-endian");

/// Most workers of one pool.
pub const MAX_WORKERS: usize = 1024;
/// Bytes of a line: the unit that keeps words of different writers apart.
pub const LINE: usize = 128;
/// `b"KNITPOOL"` as a little-endian number.
pub const MAGIC: u64 = u64::from_le_bytes(*b"KNITPOOL");
/// Version of this layout together with the value format's.
pub const VERSION: u32 = 2;

/// Lines of the header.
const HEADER_LINES: usize = 3;
/// Byte offset of the host's doorbell.
pub(crate) const HOST_BELL: usize = LINE;
/// Byte offset of the host's announcements ([`crate::cell::HostWords`]).
pub(crate) const HOST_WORDS: usize = 2 * LINE;
/// Bytes of one worker cell.
pub(crate) const CELL: usize = 4 * LINE;
const PAGE: usize = 4096;
/// Bytes of an abort slot's word.
const ABORT_WORD: usize = 4;
/// Bytes of a histogram, and of both of a worker.
const HISTOGRAM: usize = Histogram::BYTES.next_multiple_of(LINE);
const HISTOGRAMS: usize = 2 * HISTOGRAM;
/// Most bytes of loans a participant: with a main arena of 2 GiB, JavaScript still sees both as one `ArrayBuffer` below 4 GiB.
const MOST_LOANS: u32 = 1 << 30;

/// Every offset of a pool's region, in bytes from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    config: Config,
    cells: usize,
    abort_words: usize,
    histograms: usize,
    host_shapes: usize,
    worker_shapes: usize,
    lanes: usize,
    request_size: usize,
    reply_size: usize,
    stamps_size: usize,
    front: usize,
    arena_size: usize,
    loans_size: usize,
    total: usize,
}

impl Layout {
    /// Computes the layout for these sizes.
    ///
    /// # Errors
    /// A size is not one that the layout can hold.
    pub fn new(config: Config) -> Result<Self> {
        config.check()?;
        let cells = HEADER_LINES * LINE;
        let abort_words = cells + config.workers * CELL;
        let histograms =
            abort_words + (config.abort_slots as usize * ABORT_WORD).next_multiple_of(LINE);
        let host_shapes = histograms + config.workers * HISTOGRAMS;
        let worker_shapes = host_shapes + config.host_shape_bytes as usize;
        let lanes = (worker_shapes + config.workers * config.worker_shape_bytes as usize)
            .next_multiple_of(PAGE);
        let request_size = FrameProducer::area_size(config.request_granules).next_multiple_of(LINE);
        let reply_size = StreamProducer::area_size(config.reply_granules).next_multiple_of(LINE);
        let stamps_size = Stamps::bytes(config.request_granules).next_multiple_of(LINE);
        let front = (lanes + config.workers * (request_size + reply_size + stamps_size))
            .next_multiple_of(PAGE);
        if i32::try_from(front).is_err() {
            return Err(SchedError::Config {
                what: "the rings and tables of all workers together",
                expected: "below 2 GiB",
                actual: front as u64,
            });
        }
        let arena_size = BlockArena::area_size(config.arena_bytes as usize).next_multiple_of(PAGE);
        let loan_bytes = config.arena_bytes.min(MOST_LOANS);
        let loans_size = BlockArena::area_size(loan_bytes as usize).next_multiple_of(PAGE);
        let total = front + (config.workers + 1) * (arena_size + loans_size);
        Ok(Self {
            config,
            cells,
            abort_words,
            histograms,
            host_shapes,
            worker_shapes,
            lanes,
            request_size,
            reply_size,
            stamps_size,
            front,
            arena_size,
            loans_size,
            total,
        })
    }

    /// Reads the layout of a region that somebody else made, and checks it.
    ///
    /// # Errors
    /// The region is not a pool's, is one of another version, or its header contradicts itself.
    pub fn attach(region: &Region) -> Result<Self> {
        let header: Header = region
            .read(0)
            .map_err(|_| SchedError::NotAPool("it is too small"))?;
        if header.magic != MAGIC {
            return Err(SchedError::NotAPool("the magic number is missing"));
        }
        if header.version != VERSION {
            return Err(SchedError::NotAPool(
                "its version is another: host and workers must be of the same version of Knit",
            ));
        }
        let layout = Self::new(Config {
            workers: header.workers as usize,
            request_granules: header.request_granules,
            reply_granules: header.reply_granules,
            arena_bytes: header.arena_bytes,
            abort_slots: header.abort_slots,
            host_shape_bytes: header.host_shape_bytes,
            worker_shape_bytes: header.worker_shape_bytes,
        })?;
        if layout.header() != header {
            return Err(SchedError::NotAPool("its header contradicts itself"));
        }
        if region.len() < layout.total {
            return Err(SchedError::NotAPool("it is shorter than its header says"));
        }
        Ok(layout)
    }

    /// Writes the header into a fresh region.
    pub(crate) fn write(&self, region: &Region) -> Result<()> {
        Ok(region.write(0, &self.header())?)
    }

    fn header(&self) -> Header {
        let word = |offset: usize| u32::try_from(offset).expect("the front ends below 2 GiB");
        Header {
            magic: MAGIC,
            version: VERSION,
            workers: word(self.config.workers),
            request_granules: self.config.request_granules,
            reply_granules: self.config.reply_granules,
            arena_bytes: self.config.arena_bytes,
            abort_slots: self.config.abort_slots,
            abort_words: word(self.abort_words),
            host_shapes: word(self.host_shapes),
            host_shape_bytes: self.config.host_shape_bytes,
            worker_shapes: word(self.worker_shapes),
            worker_shape_bytes: self.config.worker_shape_bytes,
            front_bytes: word(self.front),
            total_bytes: self.total as u64,
        }
    }

    /// The sizes this layout was made from.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Bytes of the whole region.
    #[must_use]
    pub fn total_bytes(&self) -> usize {
        self.total
    }

    /// Bytes of everything but the block heaps.
    #[must_use]
    pub fn front_bytes(&self) -> usize {
        self.front
    }

    /// Number of workers.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.config.workers
    }

    pub(crate) fn cell(&self, region: &Region, worker: usize) -> Result<Area> {
        self.worker(worker)?;
        Ok(region.area(self.cells + worker * CELL, CELL)?)
    }

    /// Where a worker's cell starts, in bytes from the region's start.
    #[cfg(target_os = "linux")]
    pub(crate) fn cell_offset(&self, worker: usize) -> Result<usize> {
        self.worker(worker)?;
        Ok(self.cells + worker * CELL)
    }

    /// The worker whose cell starts there, if one does.
    #[cfg(target_os = "linux")]
    pub(crate) fn worker_at(&self, offset: u64) -> Option<usize> {
        let distance = usize::try_from(offset).ok()?.checked_sub(self.cells)?;
        let worker = distance / CELL;
        (distance % CELL == 0 && worker < self.config.workers).then_some(worker)
    }

    /// The words of the abort slots.
    pub(crate) fn abort_words(&self, region: &Region) -> Result<Area> {
        let bytes = self.config.abort_slots as usize * ABORT_WORD;
        Ok(region.area(self.abort_words, bytes)?)
    }

    pub(crate) fn requests(&self, region: &Region, worker: usize) -> Result<Area> {
        Ok(region.area(self.lane(worker)?, self.request_size)?)
    }

    pub(crate) fn replies(&self, region: &Region, worker: usize) -> Result<Area> {
        Ok(region.area(self.lane(worker)? + self.request_size, self.reply_size)?)
    }

    pub(crate) fn stamps(&self, region: &Region, worker: usize) -> Result<Area> {
        let offset = self.lane(worker)? + self.request_size + self.reply_size;
        Ok(region.area(offset, self.stamps_size)?)
    }

    /// The histograms of how long the calls that a worker took had waited, and of how long they ran.
    pub(crate) fn histograms(
        &self,
        region: &Region,
        worker: usize,
    ) -> Result<(Histogram, Histogram)> {
        self.worker(worker)?;
        let at = |n: usize| {
            let offset = self.histograms + worker * HISTOGRAMS + n * HISTOGRAM;
            Ok::<_, SchedError>(Histogram::new(region.area(offset, HISTOGRAM)?))
        };
        Ok((at(0)?, at(1)?))
    }

    /// Place of the shape table of a worker (`Some`) or of the host (`None`): offset and bytes.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn shapes(&self, owner: Option<usize>) -> Result<(usize, usize)> {
        match owner {
            None => Ok((self.host_shapes, self.config.host_shape_bytes as usize)),
            Some(worker) => {
                self.worker(worker)?;
                let bytes = self.config.worker_shape_bytes as usize;
                Ok((self.worker_shapes + worker * bytes, bytes))
            }
        }
    }

    /// Place of a heap, both its arenas: 0 is the host's, `w + 1` worker `w`'s. Offset and bytes.
    ///
    /// # Errors
    /// There is no such worker.
    pub fn heap(&self, heap: usize) -> Result<(usize, usize)> {
        if heap > self.config.workers {
            return Err(SchedError::NoSuchWorker(heap - 1));
        }
        let bytes = self.arena_size + self.loans_size;
        Ok((self.front + heap * bytes, bytes))
    }

    pub(crate) fn arena_area(&self, region: &Region, heap: usize) -> Result<Area> {
        let (offset, _) = self.heap(heap)?;
        Ok(region.area(offset, self.arena_size)?)
    }

    pub(crate) fn loans_area(&self, region: &Region, heap: usize) -> Result<Area> {
        let (offset, _) = self.heap(heap)?;
        Ok(region.area(offset + self.arena_size, self.loans_size)?)
    }

    fn lane(&self, worker: usize) -> Result<usize> {
        self.worker(worker)?;
        Ok(self.lanes + worker * (self.request_size + self.reply_size + self.stamps_size))
    }

    fn worker(&self, worker: usize) -> Result<()> {
        if worker < self.config.workers {
            Ok(())
        } else {
            Err(SchedError::NoSuchWorker(worker))
        }
    }
}
