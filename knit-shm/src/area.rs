//! [`Area`]: a checked window on a region.
//!
//! Guarantees that its bytes lie inside the region and stay mapped while it lives, so that a ring or a heap checks its
//! place once, when it is set up, and then works with offsets of its own. Areas may overlap: who may touch what is for the
//! protocol above to say.
//!
//! The `unsafe` accessors leave out the check of the bounds for offsets that were checked or masked already. They are
//! checked all the same in builds with debug assertions.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64};

use bytemuck::{AnyBitPattern, NoUninit};

use crate::window::Window;
use crate::{Region, ShmError};

/// `len` bytes of a [`Region`], which it keeps mapped. Cloning is cheap and gives the same bytes.
#[derive(Clone)]
pub struct Area {
    region: Region,
    base: *mut u8,
    offset: usize,
    len: usize,
}

// SAFETY: the pointer is into memory that the region keeps alive, and the region itself may be sent and shared; no state
// of the area changes after it was made.
unsafe impl Send for Area {}
// SAFETY: as for `Send`.
unsafe impl Sync for Area {}

impl Area {
    pub(crate) fn new(region: &Region, offset: usize, len: usize) -> Result<Area, ShmError> {
        let base = region.window().at(offset, len)?;
        Ok(Area {
            region: region.clone(),
            base,
            offset,
            len,
        })
    }

    fn window(&self) -> Window<'_> {
        // SAFETY: `new` checked that the bytes lie in the region, which `self.region` keeps alive as long as the borrow.
        unsafe { Window::new(self.base, self.len) }
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first byte. Valid while the area, a clone of it or its region lives.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        self.base
    }

    /// The region that this is a part of.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Where in the region it begins.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// A part of this part; `offset` counts from the start of this area.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`].
    pub fn area(&self, offset: usize, len: usize) -> Result<Area, ShmError> {
        let base = self.window().at(offset, len)?;
        Ok(Area {
            region: self.region.clone(),
            base,
            offset: self.offset + offset,
            len,
        })
    }

    /// The word at `offset`. Keep to one width for each word: racing accesses of two widths are undefined.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`], [`ShmError::Misaligned`].
    #[inline]
    pub fn atomic_u32(&self, offset: usize) -> Result<&AtomicU32, ShmError> {
        self.window().atomic_u32(offset)
    }

    /// The double word at `offset`; see [`Area::atomic_u32`].
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`], [`ShmError::Misaligned`].
    #[inline]
    pub fn atomic_u64(&self, offset: usize) -> Result<&AtomicU64, ShmError> {
        self.window().atomic_u64(offset)
    }

    /// A copy of the value at `offset`, fetched once, at any alignment.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`].
    #[inline]
    pub fn read<T: AnyBitPattern>(&self, offset: usize) -> Result<T, ShmError> {
        self.window().read(offset)
    }

    /// Stores a value at `offset`, at any alignment.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`].
    #[inline]
    pub fn write<T: NoUninit>(&self, offset: usize, value: &T) -> Result<(), ShmError> {
        self.window().write(offset, value)
    }

    /// Copies `bytes` to `offset`.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`].
    #[inline]
    pub fn copy_to(&self, offset: usize, bytes: &[u8]) -> Result<(), ShmError> {
        self.window().copy_to(offset, bytes)
    }

    /// Fills `bytes` from `offset`.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`].
    #[inline]
    pub fn copy_from(&self, offset: usize, bytes: &mut [u8]) -> Result<(), ShmError> {
        self.window().copy_from(offset, bytes)
    }

    /// [`Area::atomic_u32`] without the checks.
    ///
    /// # Safety
    ///
    /// `offset + 4 <= self.len()`, and the address is a multiple of 4.
    #[inline]
    #[must_use]
    pub unsafe fn atomic_u32_unchecked(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.window().atomic_u32_unchecked(offset) }
    }

    /// [`Area::atomic_u64`] without the checks.
    ///
    /// # Safety
    ///
    /// `offset + 8 <= self.len()`, and the address is a multiple of 8.
    #[inline]
    #[must_use]
    pub unsafe fn atomic_u64_unchecked(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.window().atomic_u64_unchecked(offset) }
    }

    /// [`Area::read`] without the check.
    ///
    /// # Safety
    ///
    /// `offset + size_of::<T>() <= self.len()`.
    #[inline]
    #[must_use]
    pub unsafe fn read_unchecked<T: AnyBitPattern>(&self, offset: usize) -> T {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.window().read_unchecked(offset) }
    }

    /// [`Area::write`] without the check.
    ///
    /// # Safety
    ///
    /// `offset + size_of::<T>() <= self.len()`.
    #[inline]
    pub unsafe fn write_unchecked<T: NoUninit>(&self, offset: usize, value: &T) {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.window().write_unchecked(offset, value) }
    }

    /// [`Area::copy_to`] without the check.
    ///
    /// # Safety
    ///
    /// `offset + bytes.len() <= self.len()`.
    #[inline]
    pub unsafe fn copy_to_unchecked(&self, offset: usize, bytes: &[u8]) {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.window().copy_to_unchecked(offset, bytes) }
    }

    /// [`Area::copy_from`] without the check.
    ///
    /// # Safety
    ///
    /// `offset + bytes.len() <= self.len()`.
    #[inline]
    pub unsafe fn copy_from_unchecked(&self, offset: usize, bytes: &mut [u8]) {
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { self.window().copy_from_unchecked(offset, bytes) }
    }

    /// [`Region::release_pages`] for bytes of this area.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`], [`ShmError::Os`].
    pub fn release_pages(&self, offset: usize, len: usize) -> Result<(), ShmError> {
        self.window().at(offset, len)?;
        self.region.release_pages(self.offset + offset, len)
    }

    /// [`Region::prefault`] for bytes of this area.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`], [`ShmError::Os`].
    pub fn prefault(&self, offset: usize, len: usize) -> Result<(), ShmError> {
        self.window().at(offset, len)?;
        self.region.prefault(self.offset + offset, len)
    }
}

impl fmt::Debug for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the bytes: they are others' too.
        f.debug_struct("Area")
            .field("offset", &self.offset)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
