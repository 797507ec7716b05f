//! Where the parts of a ring are, and the header that an attaching side checks.
//!
//! | bytes | frame ring | stream ring |
//! |---|---|---|
//! | 0..128 | header | header |
//! | 128..256 | tail: u64 | tail: u32 |
//! | 256..384 | cursor: u64 | head: u32 |
//! | 384..512 | head: u64 | data: `capacity` granules |
//! | 512.. | one entry per granule: state u64, hint u64 | |
//! | 512 + 16 * capacity.. | data: `capacity` granules | |
//!
//! Lines are 128 bytes on every machine, as the layout is shared between builds, and as prefetchers fetch lines of 64
//! bytes in pairs: a word that one side writes often has a line to itself.

// A model has no addresses, so no layout.
#![cfg_attr(loom, allow(dead_code))]

use crate::GRANULE;
#[cfg(not(loom))]
use crate::RingError;
use bytemuck::{Pod, Zeroable};

/// Bytes of a line: what is written by different sides is at least so far apart.
pub const LINE: usize = 128;

pub(crate) const TAIL_AT: usize = LINE;
pub(crate) const CURSOR_AT: usize = 2 * LINE;
pub(crate) const HEAD_AT: usize = 3 * LINE;
pub(crate) const FRAME_ENTRIES_AT: usize = 4 * LINE;
pub(crate) const ENTRY_BYTES: usize = 16;
pub(crate) const STREAM_DATA_AT: usize = 3 * LINE;

/// The least capacity in granules: it keeps the data part on a line's boundary.
pub const MIN_CAPACITY: u32 = 8;
/// The largest capacity in granules: 2 GiB of data.
pub const MAX_CAPACITY: u32 = 1 << 26;

const _: () = assert!(MIN_CAPACITY as usize * ENTRY_BYTES == LINE);
// A stream's positions are bytes in u32: a whole ring's worth must stay below half of their range or equal it.
const _: () = assert!(MAX_CAPACITY as u64 * GRANULE as u64 <= 1 << 31);

pub(crate) const fn frame_data_at(capacity: u32) -> usize {
    FRAME_ENTRIES_AT + capacity as usize * ENTRY_BYTES
}

pub(crate) const fn data_bytes(capacity: u32) -> usize {
    capacity as usize * GRANULE as usize
}

pub(crate) const fn capacity_is_valid(capacity: u32) -> bool {
    capacity.is_power_of_two() && capacity >= MIN_CAPACITY && capacity <= MAX_CAPACITY
}

/// What the first line of a ring says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct RingHeader {
    /// Written last and with Release, so that who sees it sees the rest.
    pub magic: u64,
    pub version: u32,
    pub granule: u32,
    pub capacity: u32,
    pub data_at: u32,
}

pub(crate) const VERSION: u32 = 1;
pub(crate) const FRAME_MAGIC: u64 = u64::from_le_bytes(*b"knitFRAM");
pub(crate) const STREAM_MAGIC: u64 = u64::from_le_bytes(*b"knitSTRM");

const _: () = assert!(size_of::<RingHeader>() <= LINE);
const _: () = assert!(core::mem::offset_of!(RingHeader, magic) == 0);
const _: () = assert!(core::mem::offset_of!(RingHeader, version) == 8);
const _: () = assert!(core::mem::offset_of!(RingHeader, granule) == 12);
const _: () = assert!(core::mem::offset_of!(RingHeader, capacity) == 16);
const _: () = assert!(core::mem::offset_of!(RingHeader, data_at) == 20);

#[cfg(not(loom))]
impl RingHeader {
    pub(crate) fn new(magic: u64, capacity: u32, data_at: usize) -> RingHeader {
        RingHeader {
            magic,
            version: VERSION,
            granule: GRANULE,
            capacity,
            data_at: data_at as u32,
        }
    }

    /// Writes the header, the magic last.
    pub(crate) fn publish(self, area: &knit_shm::Area) -> Result<(), RingError> {
        use core::sync::atomic::Ordering;
        area.write(0, &RingHeader { magic: 0, ..self })?;
        // Release: pairs with the Acquire in `check`.
        area.atomic_u64(0)?.store(self.magic, Ordering::Release);
        Ok(())
    }

    /// Reads a header once and checks that it is the one that this version writes for the capacity it names.
    pub(crate) fn check(
        area: &knit_shm::Area,
        magic: u64,
        data_at: impl Fn(u32) -> usize,
    ) -> Result<u32, RingError> {
        use core::sync::atomic::Ordering;
        // Acquire: pairs with the Release in `publish`.
        if area.atomic_u64(0)?.load(Ordering::Acquire) != magic {
            return Err(RingError::NotARing("its magic differs"));
        }
        let header: RingHeader = area.read(0)?;
        if header.version != VERSION {
            return Err(RingError::NotARing("its version differs"));
        }
        if header.granule != GRANULE || !capacity_is_valid(header.capacity) {
            return Err(RingError::NotARing("its capacity is out of range"));
        }
        if header != RingHeader::new(magic, header.capacity, data_at(header.capacity)) {
            return Err(RingError::NotARing("its layout differs"));
        }
        Ok(header.capacity)
    }
}
