//! Rings in mapped memory: words are `core` atomics in place, bytes are copied by raw pointers.
//!
//! Everything here is in bounds whatever the region holds: the area and the capacity are checked once, when a ring is
//! made or attached, and slots are masked, so that no value read from shared memory can lead outside.

use super::{BellMemory, Bytes, FrameMemory, StreamMemory};
use crate::RingError;
use crate::layout::{CURSOR_AT, ENTRY_BYTES, FRAME_ENTRIES_AT, HEAD_AT, LINE, TAIL_AT, data_bytes};
use core::sync::atomic::{AtomicU32, AtomicU64};
use core::time::Duration;
use knit_shm::Area;
use knit_shm::wait::{Outcome, shared};

/// A ring's or doorbell's place in a region. Keeps the region mapped.
#[derive(Clone)]
pub struct Mapped {
    /// Starts at a multiple of [`LINE`], and holds `data_at` bytes and the data of `capacity` granules.
    area: Area,
    /// Granules; a power of two, or 0 for a doorbell.
    capacity: u32,
    /// Bytes from the start to the data part.
    data_at: usize,
}

impl Mapped {
    /// Checks that a ring with so large a head and so many granules fits into `area`.
    pub(crate) fn new(area: Area, capacity: u32, data_at: usize) -> Result<Mapped, RingError> {
        if area.len() < data_at + data_bytes(capacity) {
            return Err(RingError::NotARing("smaller than its capacity needs"));
        }
        if area.as_ptr().addr() % LINE != 0 {
            return Err(RingError::NotARing("not at a multiple of 128 bytes"));
        }
        Ok(Mapped {
            area,
            capacity,
            data_at,
        })
    }

    fn entry_at(&self, slot: u64) -> usize {
        FRAME_ENTRIES_AT + (slot & (self.capacity as u64 - 1)) as usize * ENTRY_BYTES
    }

    /// Where `len` bytes at `at` of the data part are in the area, if they lie within that part.
    fn data(&self, at: usize, len: usize) -> Option<usize> {
        let bytes = data_bytes(self.capacity);
        (at <= bytes && len <= bytes - at).then_some(self.data_at + at)
    }
}

impl Bytes for Mapped {
    fn capacity(&self) -> u32 {
        self.capacity
    }

    fn base(&self) -> usize {
        self.area.offset() + self.data_at
    }

    #[inline]
    unsafe fn store(&self, at: usize, bytes: &[u8]) {
        if let Some(to) = self.data(at, bytes.len()) {
            // SAFETY: `data` checked the bounds of the data part, which `new` checked to lie in the area.
            unsafe { self.area.copy_to_unchecked(to, bytes) };
        }
    }

    #[inline]
    unsafe fn load(&self, at: usize, out: &mut [u8]) {
        if let Some(from) = self.data(at, out.len()) {
            // SAFETY: as in `store`.
            unsafe { self.area.copy_from_unchecked(from, out) };
        }
    }
}

impl FrameMemory for Mapped {
    fn tail(&self) -> &AtomicU64 {
        // SAFETY: a frame ring's area holds four lines at least (`frame` creates and attaches them only so).
        unsafe { self.area.atomic_u64_unchecked(TAIL_AT) }
    }

    fn cursor(&self) -> &AtomicU64 {
        // SAFETY: as for `tail`.
        unsafe { self.area.atomic_u64_unchecked(CURSOR_AT) }
    }

    fn head(&self) -> &AtomicU64 {
        // SAFETY: as for `tail`.
        unsafe { self.area.atomic_u64_unchecked(HEAD_AT) }
    }

    #[inline]
    fn state(&self, slot: u64) -> &AtomicU64 {
        // SAFETY: the masked slot is below the capacity, and the entries of `capacity` slots lie before the data part,
        // which `new` checked to be in the area.
        unsafe { self.area.atomic_u64_unchecked(self.entry_at(slot)) }
    }

    #[inline]
    fn hint(&self, slot: u64) -> &AtomicU64 {
        // SAFETY: as for `state`; an entry has 16 bytes.
        unsafe { self.area.atomic_u64_unchecked(self.entry_at(slot) + 8) }
    }
}

impl StreamMemory for Mapped {
    fn tail32(&self) -> &AtomicU32 {
        // SAFETY: a stream's area holds three lines at least (`stream` creates and attaches them only so).
        unsafe { self.area.atomic_u32_unchecked(TAIL_AT) }
    }

    fn head32(&self) -> &AtomicU32 {
        // SAFETY: as for `tail32`.
        unsafe { self.area.atomic_u32_unchecked(CURSOR_AT) }
    }
}

impl BellMemory for Mapped {
    fn bell(&self) -> &AtomicU32 {
        // SAFETY: a doorbell's area holds one line (`doorbell` checks it).
        unsafe { self.area.atomic_u32_unchecked(0) }
    }

    fn sleep(&self, expected: u32, timeout: Option<Duration>) -> Result<Outcome, RingError> {
        Ok(shared::wait(self.bell(), expected, timeout)?)
    }

    fn wake(&self) -> usize {
        // All: a worker that was given up, but whose process lives on, may sleep there beside the new one.
        shared::wake(self.bell(), u32::MAX)
    }
}
