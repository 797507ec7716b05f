//! An arena's words in a region.
//!
//! | bytes                          | what                                                        | written by     |
//! |--------------------------------|-------------------------------------------------------------|----------------|
//! | 0..128                         | magic, version, granules, arena's number, epoch, `kept`     | owner          |
//! | 128..256                       | `touched`: the first granule that was never used            | owner          |
//! | 256..384                       | `returns`: how many blocks have been given back             | receivers      |
//! | 384..384 + 8 n                 | one [state word](super::word) per granule                   | owner, receivers |
//! | then, from a multiple of 4096  | data: n granules of 4096 bytes                              | a block's holder |
//!
//! All are u32 but for the state words. `kept` is how many of the lowest granules keep their pages: these count as used.
//!
//! The number of granules follows from the area's length, so the one in the header is checked, never believed. An arena in fresh
//! memory costs two pages: state words and data are touched only as far as blocks reach.

use super::{ArenaMemory, GRANULE, HeapError};
use core::mem::{offset_of, size_of};
use core::slice;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use knit_shm::Area;

const MAGIC: u32 = u32::from_le_bytes(*b"KnHp");
const VERSION: u32 = 1;
/// Indices stay below 2^31.
const MAX_GRANULES: u64 = 1 << 31;

#[repr(C, align(128))]
struct Identity {
    magic: AtomicU32,
    version: AtomicU32,
    granules: AtomicU32,
    arena: AtomicU32,
    epoch: AtomicU32,
    kept: AtomicU32,
}

#[repr(C, align(128))]
struct Line(AtomicU32);

#[repr(C)]
struct Header {
    identity: Identity,
    touched: Line,
    returns: Line,
}

const _: () = {
    assert!(offset_of!(Header, identity) == 0);
    assert!(offset_of!(Identity, epoch) == 16);
    assert!(offset_of!(Header, touched) == 128);
    assert!(offset_of!(Header, returns) == 256);
    assert!(size_of::<Header>() == 384);
};

/// An arena's memory in an [`Area`] of a region. Clones show the same memory and keep the region mapped.
#[derive(Clone, Debug)]
pub struct MappedArena {
    area: Area,
    granules: u32,
    /// From the start of the area.
    data: usize,
}

/// Where the data of `granules` granules starts, from the start of the arena.
const fn data_start(granules: u64) -> u64 {
    (size_of::<Header>() as u64 + granules * size_of::<AtomicU64>() as u64)
        .next_multiple_of(GRANULE)
}

const fn size_of_arena(granules: u64) -> u64 {
    data_start(granules) + granules * GRANULE
}

/// The most granules that an area of `bytes` holds.
const fn granules_in(bytes: u64) -> u64 {
    let per_granule = GRANULE + size_of::<AtomicU64>() as u64;
    let mut granules = bytes.saturating_sub(size_of::<Header>() as u64) / per_granule;
    while granules > 0 && size_of_arena(granules) > bytes {
        granules -= 1;
    }
    granules
}

impl MappedArena {
    /// How large an area must be for an arena with room for `data_bytes` (rounded up to whole granules) of blocks.
    ///
    /// # Panics
    /// If that is more than an address space or than 2^31 granules.
    #[must_use]
    pub const fn area_size(data_bytes: usize) -> usize {
        let granules = (data_bytes as u64).div_ceil(GRANULE);
        assert!(granules <= MAX_GRANULES, "at most 2^31 granules");
        let bytes = size_of_arena(granules);
        assert!(bytes <= isize::MAX as u64, "larger than an address space");
        bytes as usize
    }

    /// Looks at an area as an arena, without reading it.
    fn over(area: Area) -> Result<Self, HeapError> {
        let bytes = area.len();
        let granules = granules_in(bytes as u64);
        if granules == 0 || granules > MAX_GRANULES {
            return Err(HeapError::BadSize { bytes });
        }
        let offset = area.offset();
        let address = area.as_ptr().addr() as u64;
        if offset as u64 % GRANULE != 0 || address % GRANULE != 0 {
            return Err(HeapError::Misaligned { offset });
        }
        Ok(Self {
            area,
            granules: granules as u32,
            data: data_start(granules) as usize,
        })
    }

    /// Makes an arena in an area that is all zero.
    pub(super) fn create(area: Area, arena: u16) -> Result<Self, HeapError> {
        let memory = Self::over(area)?;
        let identity = &memory.header().identity;
        if identity.magic.load(Ordering::Relaxed) != 0 {
            return Err(HeapError::Exists);
        }
        identity.version.store(VERSION, Ordering::Relaxed);
        identity.granules.store(memory.granules, Ordering::Relaxed);
        identity.arena.store(u32::from(arena), Ordering::Relaxed);
        identity.epoch.store(1, Ordering::Relaxed);
        // Release: pairs with the load in `open`, which then finds the fields above.
        identity.magic.store(MAGIC, Ordering::Release);
        Ok(memory)
    }

    /// Opens an arena that is there.
    pub(super) fn open(area: Area, arena: u16) -> Result<Self, HeapError> {
        let memory = Self::over(area)?;
        let identity = &memory.header().identity;
        // Acquire: pairs with the store in `create`.
        if identity.magic.load(Ordering::Acquire) != MAGIC {
            return Err(HeapError::BadHeader("no magic number"));
        }
        if identity.version.load(Ordering::Relaxed) != VERSION {
            return Err(HeapError::BadHeader("another version"));
        }
        if identity.granules.load(Ordering::Relaxed) != memory.granules {
            return Err(HeapError::BadHeader("another size"));
        }
        if identity.arena.load(Ordering::Relaxed) != u32::from(arena) {
            return Err(HeapError::BadHeader("another arena's number"));
        }
        Ok(memory)
    }

    /// How many owners the arena has had.
    pub(super) fn epoch(&self) -> u32 {
        self.header().identity.epoch.load(Ordering::Relaxed)
    }

    /// Counts a new owner. Only that owner calls this.
    pub(super) fn next_epoch(&self) {
        let epoch = self.epoch().wrapping_add(1);
        self.header().identity.epoch.store(epoch, Ordering::Relaxed);
    }

    fn header(&self) -> &Header {
        // SAFETY: the area is as long as `size_of_arena`, so longer than a header, aligned to 4096, and stays mapped while `self`
        // keeps it (checked and kept by `over`). The header is made of atomics only, so that others may write it meanwhile; nobody
        // accesses its words by another width.
        unsafe { &*self.area.as_ptr().cast::<Header>() }
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the header's 384 bytes lie inside the area (see `header`), so the result does too.
        let first = unsafe { self.area.as_ptr().add(size_of::<Header>()) };
        // SAFETY: `granules` words from there end before the data (`data_start`), so inside the area; 384 is a multiple of 8 and
        // the area is aligned to 4096. They are atomics, so that others may write them meanwhile, all by this width.
        unsafe { slice::from_raw_parts(first.cast::<AtomicU64>(), self.granules as usize) }
    }

    /// A range of granules in bytes from the start of the area.
    fn bytes_of(&self, granule: u32, len: u32) -> (usize, usize) {
        let granule_bytes = GRANULE as usize;
        (
            self.data + granule as usize * granule_bytes,
            len as usize * granule_bytes,
        )
    }
}

impl ArenaMemory for MappedArena {
    fn granules(&self) -> u32 {
        self.granules
    }

    fn data_offset(&self) -> usize {
        self.area.offset() + self.data
    }

    fn load(&self, granule: u32, order: Ordering) -> u64 {
        self.words()[granule as usize].load(order)
    }

    fn store(&self, granule: u32, word: u64, order: Ordering) {
        self.words()[granule as usize].store(word, order);
    }

    fn swap(&self, granule: u32, word: u64, order: Ordering) -> u64 {
        self.words()[granule as usize].swap(word, order)
    }

    fn compare_exchange(
        &self,
        granule: u32,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.words()[granule as usize].compare_exchange(current, new, success, failure)
    }

    fn returns(&self, order: Ordering) -> u32 {
        self.header().returns.0.load(order)
    }

    fn count_return(&self, order: Ordering) {
        self.header().returns.0.fetch_add(1, order);
    }

    fn touched(&self) -> u32 {
        self.header().touched.0.load(Ordering::Relaxed)
    }

    fn set_touched(&self, granule: u32) {
        self.header().touched.0.store(granule, Ordering::Relaxed);
    }

    fn kept(&self) -> u32 {
        self.header().identity.kept.load(Ordering::Relaxed)
    }

    fn set_kept(&self, granules: u32) {
        self.header()
            .identity
            .kept
            .store(granules, Ordering::Relaxed);
    }

    fn commit(&self, granule: u32, len: u32) -> Result<(), HeapError> {
        let (offset, bytes) = self.bytes_of(granule, len);
        Ok(self.area.prefault(offset, bytes)?)
    }

    fn release(&self, granule: u32, len: u32) -> Result<(), HeapError> {
        let (offset, bytes) = self.bytes_of(granule, len);
        Ok(self.area.release_pages(offset, bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use knit_shm::Region;

    #[test]
    fn an_area_of_the_size_asked_for_holds_that_much() {
        for granules in [1u64, 2, 463, 464, 465, 511, 512, 513, 100_000, MAX_GRANULES] {
            let bytes = MappedArena::area_size((granules * GRANULE) as usize) as u64;
            assert_eq!(granules_in(bytes), granules);
            assert!(granules_in(bytes - 1) < granules);
        }
    }

    #[test]
    fn data_starts_behind_the_last_word() {
        for granules in [1, 464, 465, 100_000] {
            assert!(data_start(granules) >= 384 + 8 * granules);
            assert_eq!(data_start(granules) % 4096, 0);
        }
    }

    #[test]
    fn an_area_that_cannot_hold_an_arena_is_refused() {
        let region = Region::heap(64 * 1024);
        let small = region.area(0, 8191).expect("inside");
        assert!(matches!(
            MappedArena::create(small, 0),
            Err(HeapError::BadSize { bytes: 8191 })
        ));
        let askew = region.area(128, 32 * 1024).expect("inside");
        assert!(matches!(
            MappedArena::create(askew, 0),
            Err(HeapError::Misaligned { offset: 128 })
        ));
    }

    #[test]
    fn only_the_arena_that_was_made_is_opened() {
        let region = Region::heap(64 * 1024);
        let area = |len| region.area(0, len).expect("inside");
        assert!(matches!(
            MappedArena::open(area(65536), 3),
            Err(HeapError::BadHeader("no magic number"))
        ));
        MappedArena::create(area(65536), 3).expect("fresh");
        assert!(matches!(
            MappedArena::create(area(65536), 3),
            Err(HeapError::Exists)
        ));
        assert!(MappedArena::open(area(65536), 3).is_ok());
        assert!(matches!(
            MappedArena::open(area(65536), 4),
            Err(HeapError::BadHeader("another arena's number"))
        ));
        assert!(matches!(
            MappedArena::open(area(32768), 3),
            Err(HeapError::BadHeader("another size"))
        ));
        region.write(4, &99u32).expect("inside");
        assert!(matches!(
            MappedArena::open(area(65536), 3),
            Err(HeapError::BadHeader("another version"))
        ));
    }
}
