//! Rings in a loom model: words are loom's atomics, bytes are loom's cells, one per granule, so that loom fails a model
//! in which anyone touches a granule's bytes while someone else writes them.
//!
//! The futex is a mutex and a condition variable: as with the real one, looking at the word and falling asleep are one
//! step against a wake. A sleep without a timeout that nobody ends is a deadlock, which loom reports.

use super::{BellMemory, Bytes, FrameMemory, StreamMemory};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::{GRANULE, RingError};
use core::time::Duration;
use knit_shm::wait::Outcome;
use loom::cell::UnsafeCell;
use loom::sync::{Arc, Condvar, Mutex};

const CELL: usize = GRANULE as usize;

struct Words {
    tail: AtomicU64,
    cursor: AtomicU64,
    head: AtomicU64,
    entries: Vec<(AtomicU64, AtomicU64)>,
    tail32: AtomicU32,
    head32: AtomicU32,
    bell: AtomicU32,
    lock: Mutex<()>,
    bed: Condvar,
    cells: Vec<UnsafeCell<[u8; CELL]>>,
}

/// Memory for one ring or one doorbell of a model. Clones are the same memory.
#[derive(Clone)]
pub struct Model(Arc<Words>);

// SAFETY: the cells are what loom is there to check; all else in `Words` is Send and Sync.
unsafe impl Send for Model {}
// SAFETY: as for Send.
unsafe impl Sync for Model {}

impl Model {
    /// Zeroed memory for so many granules.
    pub fn new(capacity: u32) -> Model {
        assert!(capacity.is_power_of_two());
        let entry = |_| (AtomicU64::new(0), AtomicU64::new(0));
        Model(Arc::new(Words {
            tail: AtomicU64::new(0),
            cursor: AtomicU64::new(0),
            head: AtomicU64::new(0),
            entries: (0..capacity).map(entry).collect(),
            tail32: AtomicU32::new(0),
            head32: AtomicU32::new(0),
            bell: AtomicU32::new(0),
            lock: Mutex::new(()),
            bed: Condvar::new(),
            cells: (0..capacity).map(|_| UnsafeCell::new([0; CELL])).collect(),
        }))
    }

    fn entry(&self, slot: u64) -> &(AtomicU64, AtomicU64) {
        &self.0.entries[slot as usize & (self.0.entries.len() - 1)]
    }

    /// Calls `with` for each piece of `[at, at + len)` that lies in one cell: cell, bytes in it, bytes of the whole.
    fn pieces(at: usize, len: usize, mut with: impl FnMut(usize, core::ops::Range<usize>, usize)) {
        let mut done = 0;
        while done < len {
            let within = (at + done) % CELL;
            let n = (CELL - within).min(len - done);
            with((at + done) / CELL, within..within + n, done);
            done += n;
        }
    }
}

impl Bytes for Model {
    fn capacity(&self) -> u32 {
        self.0.cells.len() as u32
    }

    fn base(&self) -> usize {
        0
    }

    unsafe fn store(&self, at: usize, bytes: &[u8]) {
        Self::pieces(at, bytes.len(), |cell, range, done| {
            let from = &bytes[done..done + range.len()];
            self.0.cells[cell].with_mut(|cell| {
                // SAFETY: loom has just checked that nobody else is at this cell.
                let to = unsafe { &mut *cell };
                to[range.clone()].copy_from_slice(from);
            });
        });
    }

    unsafe fn load(&self, at: usize, out: &mut [u8]) {
        Self::pieces(at, out.len(), |cell, range, done| {
            let to = &mut out[done..done + range.len()];
            self.0.cells[cell].with(|cell| {
                // SAFETY: loom has just checked that nobody writes this cell.
                let from = unsafe { &*cell };
                to.copy_from_slice(&from[range.clone()]);
            });
        });
    }
}

impl FrameMemory for Model {
    fn tail(&self) -> &AtomicU64 {
        &self.0.tail
    }
    fn cursor(&self) -> &AtomicU64 {
        &self.0.cursor
    }
    fn head(&self) -> &AtomicU64 {
        &self.0.head
    }
    fn state(&self, slot: u64) -> &AtomicU64 {
        &self.entry(slot).0
    }
    fn hint(&self, slot: u64) -> &AtomicU64 {
        &self.entry(slot).1
    }
}

impl StreamMemory for Model {
    fn tail32(&self) -> &AtomicU32 {
        &self.0.tail32
    }
    fn head32(&self) -> &AtomicU32 {
        &self.0.head32
    }
}

impl BellMemory for Model {
    fn bell(&self) -> &AtomicU32 {
        &self.0.bell
    }

    fn sleep(&self, expected: u32, _timeout: Option<Duration>) -> Result<Outcome, RingError> {
        let guard = self.0.lock.lock().unwrap();
        if self.0.bell.load(Ordering::Relaxed) != expected {
            return Ok(Outcome::Changed);
        }
        drop(self.0.bed.wait(guard).unwrap());
        Ok(Outcome::Woken)
    }

    fn wake(&self) -> usize {
        let _guard = self.0.lock.lock().unwrap();
        self.0.bed.notify_all();
        1
    }
}
