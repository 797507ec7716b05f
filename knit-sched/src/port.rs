//! A host and a worker for languages that call through a border: one call a batch, numbers in, numbers out.
//!
//! The caller writes frames into a submission buffer and passes how many bytes it wrote. What it gets back is too much for one number, so
//! it goes into a *control block*: an array of `u32` that the caller owns and reads after the call.
//!
//! | word | host | worker |
//! |---|---|---|
//! | [`CLOCK`] | microseconds of a monotonic clock, wrapping | the same |
//! | [`BACKLOG`] | calls waiting in private memory | - |
//! | [`BLOCK_OFFSET`], [`BLOCK_BYTES`] | place in its heap and size of the block opened or allocated last | the same |
//! | [`BLOCK_LOW`], [`BLOCK_HIGH`] | locator of the block allocated last | the same |
//! | [`ABORTS`] | - | how many aborts there were, wrapping |
//! | [`DAMAGED`] | 1 and the number of a worker that has damaged its reply ring, once; else 0 | - |
//! | [`FAR`] | 1 if replies are too far to be looked for ([`Host::replies_are_far`]), else 0 | - |
//! | from [`ENTRIES`] | per span of replies: worker, first byte, end (from the region's start) | per claimed call: first byte of its payload |
//! | | or per expired call: number, generation | |
//!
//! Figures go into a block of `f64` of the same kind: a row for the pool, then one for each worker, of [`FIGURES`] columns each.
//!
//! Frames are read in place: all rings lie in the front of the region, below 2 GiB.

#[cfg(not(target_os = "linux"))]
#[path = "port/no_processes.rs"]
mod processes;
#[cfg(target_os = "linux")]
mod processes;
pub mod shared;
mod table;
pub mod threads;

pub use processes::{
    Place, join_process, process_boot, process_hand_on, process_share, process_take_shared,
    process_unshare,
};
pub use table::Table;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use knit_ring::heap::Block;

use crate::bells::Shared;
use crate::cost::MOST;
use crate::error::Result;
use crate::heap::Loan;
use crate::host::{Host, Replies};
use crate::stats::Figures;
use crate::worker::{Turn, Worker};

/// Word of the clock.
pub const CLOCK: usize = 0;
/// Word of the backlog's length.
pub const BACKLOG: usize = 1;
/// Word of an opened block's offset in its heap.
pub const BLOCK_OFFSET: usize = 2;
/// Word of an opened block's size.
pub const BLOCK_BYTES: usize = 3;
/// Lower word of an allocated block's locator.
pub const BLOCK_LOW: usize = 4;
/// Higher word of an allocated block's locator.
pub const BLOCK_HIGH: usize = 5;
/// Word that changes with each abort.
pub const ABORTS: usize = 6;
/// Word of a worker that has damaged its reply ring: the same word, in a host's block.
pub const DAMAGED: usize = 6;
/// Word that says that replies are far, in a host's block.
pub const FAR: usize = 7;
/// First word of the entries.
pub const ENTRIES: usize = 8;
/// Words of a span of replies.
pub const SPAN_WORDS: usize = 3;
/// Words of an expired call.
pub const CALL_WORDS: usize = 2;

/// What the columns of figures are, in order. Times are in milliseconds.
pub const FIGURES: [&str; 15] = [
    "submitted",
    "queued",
    "running",
    "completed",
    "failed",
    "removed",
    "respawns",
    "bytes_in",
    "bytes_out",
    "wait_p50",
    "wait_p99",
    "wait_max",
    "run_p50",
    "run_p99",
    "run_max",
];

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

fn microseconds() -> u32 {
    // Wraps after 71 minutes: only differences of it mean something.
    EPOCH.elapsed().as_micros() as u32
}

fn word(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Says in the control block where a block is, and how it is named.
fn show(block: &Block, shared: &Shared, heap: usize, control: &mut [u32]) -> Result<()> {
    let (start, _) = shared.layout().heap(heap)?;
    let locator = block.locator.raw();
    control[BLOCK_OFFSET] = word(block.offset - start);
    control[BLOCK_BYTES] = word(block.len);
    control[BLOCK_LOW] = locator as u32;
    control[BLOCK_HIGH] = (locator >> 32) as u32;
    Ok(())
}

/// A row of figures, in the order of [`FIGURES`].
fn columns(figures: &Figures) -> [f64; FIGURES.len()] {
    let time = |time: Duration| time.as_secs_f64() * 1000.0;
    let Figures { wait, run, .. } = figures;
    [
        figures.submitted as f64,
        figures.queued as f64,
        figures.running as f64,
        figures.completed as f64,
        figures.failed as f64,
        figures.removed as f64,
        figures.respawns as f64,
        figures.bytes_in as f64,
        figures.bytes_out as f64,
        time(wait.p50),
        time(wait.p99),
        time(wait.max),
        time(run.p50),
        time(run.p99),
        time(run.max),
    ]
}

/// A [`Host`] behind a border.
pub struct HostPort {
    /// The host itself, for everything that is not hot.
    pub host: Host,
    replies: Vec<Replies>,
    /// What worker processes print goes nowhere; the last lines of their standard error are remembered all the same.
    pub quiet: bool,
    /// Worker processes, once there are any.
    #[cfg(target_os = "linux")]
    fleet: Option<crate::process::Fleet>,
    #[cfg(target_os = "linux")]
    parcels: crate::process::parcels::Parcels,
}

impl HostPort {
    /// Wraps a host.
    #[must_use]
    pub fn new(host: Host) -> Self {
        Self {
            replies: Vec::with_capacity(host.workers()),
            host,
            quiet: false,
            #[cfg(target_os = "linux")]
            fleet: None,
            #[cfg(target_os = "linux")]
            parcels: Default::default(),
        }
    }

    /// Words that the control block must have.
    #[must_use]
    pub fn control_words(&self) -> usize {
        ENTRIES + (SPAN_WORDS * self.host.workers()).max(CALL_WORDS * MOST)
    }

    /// Submits, then looks for replies, spinning for at most `spin` within the adaptive limit. Returns the number of spans.
    ///
    /// # Errors
    /// As [`Host::submit`] and [`Host::poll`].
    ///
    /// # Panics
    /// If the control block is shorter than [`HostPort::control_words`].
    pub fn turn(&mut self, submitted: &[u8], spin: Duration, control: &mut [u32]) -> Result<u32> {
        if !submitted.is_empty() {
            self.host.submit(submitted)?;
        }
        self.host.spin(&mut self.replies, spin)?;
        Ok(self.show_replies(control))
    }

    /// Sleeps until replies are there or the time is over, for hosts without an event loop. Returns the number of spans. A host that has a bell
    /// is woken by that and not here.
    ///
    /// # Errors
    /// As [`Host::wait`].
    ///
    /// # Panics
    /// If the control block is shorter than [`HostPort::control_words`].
    pub fn wait(&mut self, timeout: Option<Duration>, control: &mut [u32]) -> Result<u32> {
        self.host.wait(&mut self.replies, timeout)?;
        Ok(self.show_replies(control))
    }

    fn show_replies(&mut self, control: &mut [u32]) -> u32 {
        control[DAMAGED] = self
            .host
            .take_damaged()
            .map_or(0, |worker| word(worker + 1));
        control[CLOCK] = microseconds();
        control[BACKLOG] = word(self.host.backlog());
        control[FAR] = u32::from(self.host.replies_are_far());
        for (entry, span) in control[ENTRIES..]
            .chunks_exact_mut(SPAN_WORDS)
            .zip(&self.replies)
        {
            entry.copy_from_slice(&[
                word(span.worker),
                word(span.offset),
                word(span.offset + span.len),
            ]);
        }
        word(self.replies.len())
    }

    /// Takes expired calls, as many as have room in the control block. Returns their number: there may be more unless it is 0.
    ///
    /// # Panics
    /// If the control block is shorter than [`HostPort::control_words`].
    pub fn expire(&mut self, control: &mut [u32]) -> u32 {
        let mut entries = control[ENTRIES..].chunks_exact_mut(CALL_WORDS);
        let room = entries.len();
        let expired = self.host.expire(room, |expired| {
            let entry = entries.next().expect("no more than there is room for");
            entry.copy_from_slice(&[expired.call, expired.generation]);
        });
        word(expired)
    }

    /// Bytes that the block of figures must have.
    #[must_use]
    pub fn figures_bytes(&self) -> usize {
        (1 + self.host.workers()) * FIGURES.len() * size_of::<f64>()
    }

    /// Writes the pool's figures, then each worker's.
    ///
    /// # Errors
    /// As [`Host::stats`].
    ///
    /// # Panics
    /// If the block is shorter than [`HostPort::figures_bytes`].
    pub fn measure(&mut self, figures: &mut [f64]) -> Result<()> {
        let stats = self.host.stats()?;
        let rows = std::iter::once(&stats.pool).chain(&stats.workers);
        for (row, to) in rows.zip(figures.chunks_exact_mut(FIGURES.len())) {
            to.copy_from_slice(&columns(row));
        }
        Ok(())
    }

    /// What a worker runs: microseconds since it claimed that, and the call in the first entry of the control block. None if it runs nothing.
    ///
    /// # Errors
    /// As [`Host::running`].
    pub fn running(&mut self, worker: usize, control: &mut [u32]) -> Result<Option<u64>> {
        Ok(self.host.running(worker)?.map(|running| {
            control[ENTRIES..][..CALL_WORDS].copy_from_slice(&[running.call, running.generation]);
            u64::try_from(running.since.as_micros()).unwrap_or(u64::MAX)
        }))
    }

    /// Opens a block that a reply names, and says where it is.
    ///
    /// # Errors
    /// As [`Host::open_block`].
    pub fn open_block(&mut self, worker: usize, locator: u64, control: &mut [u32]) -> Result<()> {
        let block = self.host.open_block(worker, locator)?;
        show(&block, self.host.shared(), worker + 1, control)
    }

    /// Makes a block for the host's own program, and says how it is named. None if there is no room.
    ///
    /// # Errors
    /// As [`Host::lend_block`].
    pub fn lend_block(&mut self, bytes: usize, control: &mut [u32]) -> Result<Option<Loan>> {
        let loan = self.host.lend_block(bytes)?;
        if let Some(loan) = &loan {
            show(loan.block(), self.host.shared(), 0, control)?;
        }
        Ok(loan)
    }

    /// Allocates a block to be sent with a call, and says where it is. False if there is no room at present.
    ///
    /// # Errors
    /// As [`Host::alloc_block`].
    pub fn alloc_block(&mut self, bytes: usize, control: &mut [u32]) -> Result<bool> {
        let Some(block) = self.host.alloc_block(bytes)? else {
            return Ok(false);
        };
        show(&block, self.host.shared(), 0, control)?;
        Ok(true)
    }
}

/// A [`Worker`] behind a border.
pub struct WorkerPort {
    /// The worker itself, for everything that is not hot.
    pub worker: Worker,
    /// In a process: through it comes what other processes ring.
    #[cfg(target_os = "linux")]
    relay: Option<crate::process::Relay>,
}

/// What [`WorkerPort::turn`] returns if the host asks the worker to end.
pub const STOP: i32 = -1;

impl WorkerPort {
    /// Wraps a worker.
    #[must_use]
    pub fn new(worker: Worker) -> Self {
        Self {
            worker,
            #[cfg(target_os = "linux")]
            relay: None,
        }
    }

    /// Words that the control block must have.
    #[must_use]
    pub fn control_words() -> usize {
        ENTRIES + MOST
    }

    /// Publishes, then claims, searching for at most `spin`. Returns the number of claimed calls, or [`STOP`].
    ///
    /// # Errors
    /// As [`Worker::turn`].
    ///
    /// # Panics
    /// If the control block is shorter than [`WorkerPort::control_words`].
    pub fn turn(&mut self, replies: &[u8], spin: Duration, control: &mut [u32]) -> Result<i32> {
        let turn = self.worker.turn(replies, spin)?;
        control[ABORTS] = self.worker.aborts();
        match turn {
            Turn::Stop => Ok(STOP),
            Turn::Idle => {
                control[CLOCK] = microseconds();
                Ok(0)
            }
            Turn::Work => {
                let claims = self.worker.claims();
                for (entry, claim) in control[ENTRIES..].iter_mut().zip(claims) {
                    *entry = word(claim.data_offset);
                }
                control[CLOCK] = microseconds();
                Ok(claims.len() as i32)
            }
        }
    }

    /// Opens a block that a call names, and says where it is.
    ///
    /// # Errors
    /// As [`Worker::open_block`].
    pub fn open_block(&mut self, locator: u64, control: &mut [u32]) -> Result<()> {
        let block = self.worker.open_block(locator)?;
        show(&block, self.worker.shared(), 0, control)
    }

    /// Allocates a block to be sent with a reply, and says where it is. False if there is no room at present.
    ///
    /// # Errors
    /// As [`Worker::alloc_block`].
    pub fn alloc_block(&mut self, bytes: usize, control: &mut [u32]) -> Result<bool> {
        let Some(block) = self.worker.alloc_block(bytes)? else {
            return Ok(false);
        };
        let heap = self.worker.index() + 1;
        show(&block, self.worker.shared(), heap, control)?;
        Ok(true)
    }
}
