//! [`Region`]: memory with an owner, by whichever way it came.
//!
//! | made by | seen by | size fixed by |
//! |---|---|---|
//! | [`Region::anonymous`] | whoever is given the descriptor | seals |
//! | [`Region::named`], [`Region::open_named`] | processes of this user that know the name | agreement |
//! | [`Region::attach`] | as the object's maker meant it | seals, checked |
//! | [`Region::attach_unsealed`] | as the object's maker meant it | agreement |
//! | [`Region::heap`] | this process | the allocator |
//!
//! Guarantees: the address and the length never change, and the memory stays mapped until the last clone, area and borrow
//! is gone. New memory reads as zeroes, and untouched pages cost nothing but address space. Descriptors are closed on exec.
//!
//! Does not guarantee: that there is memory behind a page that was never touched. When the system runs out, the first touch
//! ends the process (SIGBUS), so [`Region::prefault`] what must not fail. The same happens where a size is fixed by agreement
//! only and somebody breaks it.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};

use bytemuck::{AnyBitPattern, NoUninit};
use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{Stat, fstat};
use rustix::io::Errno;
use rustix::param::page_size;

use crate::heap::HeapBlock;
use crate::window::Window;
use crate::{Area, ShmError, named, object};

/// Who gives the memory back at the end.
enum Backing {
    /// A memory object, and its mapping, which unmaps itself.
    Mapped { fd: OwnedFd, map: MmapRaw },
    /// A block of the allocator.
    Heap(HeapBlock),
}

/// Memory that threads and processes share. Cloning is cheap and gives the same memory; the last clone to drop unmaps it.
#[derive(Clone)]
pub struct Region {
    backing: Arc<Backing>,
    len: usize,
}

#[expect(
    clippy::len_without_is_empty,
    reason = "a region is never empty: it is refused with ShmError::Empty"
)]
impl Region {
    /// New memory of `len` bytes without a name, for whoever is given its descriptor.
    ///
    /// Its size is sealed: on Linux nobody who holds the descriptor can change it. Reserve generously, pages that nobody
    /// touches cost nothing.
    ///
    /// # Errors
    /// [`ShmError::Empty`], [`ShmError::TooLarge`], [`ShmError::Os`].
    pub fn anonymous(len: usize) -> Result<Region, ShmError> {
        check_len(len as u64)?;
        Region::map(object::create(len)?, len)
    }

    /// New memory of `len` bytes under a name that no other has: for processes that cannot be given a descriptor.
    ///
    /// Only processes of this user can open it (mode 0600). The name and the memory stay until [`Region::unlink`].
    ///
    /// # Errors
    /// [`ShmError::BadName`], [`ShmError::NameTaken`], [`ShmError::Empty`], [`ShmError::TooLarge`], [`ShmError::Os`].
    pub fn named(name: &str, len: usize) -> Result<Region, ShmError> {
        check_len(len as u64)?;
        let fd = named::create(name, len)?;
        Region::map(fd, len).inspect_err(|_| {
            // Nobody is told of the name, so nobody would ever free it. That it may be gone already changes nothing.
            let _ = named::unlink(name);
        })
    }

    /// The memory of that name, in the size that it has. (macOS rounds sizes up to pages.)
    ///
    /// No seals protect named memory: the user's own processes are trusted not to shrink it.
    ///
    /// # Errors
    /// [`ShmError::NameMissing`], [`ShmError::NotPrivate`] if other users could have made it or can write it,
    /// [`ShmError::Empty`] if its maker has not sized it yet, [`ShmError::BadName`], [`ShmError::Os`].
    pub fn open_named(name: &str) -> Result<Region, ShmError> {
        Region::attach_unsealed(named::open(name)?)
    }

    /// Frees the name. Memory that is mapped stays mapped.
    ///
    /// # Errors
    /// [`ShmError::NameMissing`], [`ShmError::BadName`], [`ShmError::Os`].
    pub fn unlink(name: &str) -> Result<(), ShmError> {
        named::unlink(name)
    }

    /// The memory behind a descriptor that somebody handed over. It must be sealed against shrinking, as that of
    /// [`Region::anonymous`] is: else its other holders could end this process at will.
    ///
    /// # Errors
    /// [`ShmError::NotMemory`], [`ShmError::Unsealed`], [`ShmError::Empty`], [`ShmError::Os`].
    pub fn attach(fd: OwnedFd) -> Result<Region, ShmError> {
        let stat = stat(&fd)?;
        object::check_kind(&stat)?;
        object::check_fixed(fd.as_fd(), &stat)?;
        Region::map_whole(fd)
    }

    /// [`Region::attach`] for descriptors of named memory, which cannot be sealed. Whoever else can write the object is
    /// trusted not to shrink it: touching a part that is gone ends the process.
    ///
    /// # Errors
    /// [`ShmError::NotMemory`], [`ShmError::Empty`], [`ShmError::Os`].
    pub fn attach_unsealed(fd: OwnedFd) -> Result<Region, ShmError> {
        object::check_kind(&stat(&fd)?)?;
        Region::map_whole(fd)
    }

    /// Private memory of the allocator, zeroed and aligned to 4096 bytes, with the same accessors.
    ///
    /// # Panics
    ///
    /// If `len` is zero or more than an address space holds. Without enough memory the process ends, as with any allocation.
    #[must_use]
    pub fn heap(len: usize) -> Region {
        Region {
            backing: Arc::new(Backing::Heap(HeapBlock::new(len))),
            len,
        }
    }

    /// Maps the object in the size that it has now; after the check of the seals, so that it is the least it will ever have.
    fn map_whole(fd: OwnedFd) -> Result<Region, ShmError> {
        let size = u64::try_from(stat(&fd)?.st_size).unwrap_or(0);
        let len = check_len(size)?;
        Region::map(fd, len)
    }

    fn map(fd: OwnedFd, len: usize) -> Result<Region, ShmError> {
        let map = MmapOptions::new()
            .len(len)
            .no_reserve_swap()
            .map_raw(&fd)
            .map_err(|error| ShmError::Os {
                call: "mmap",
                errno: error.raw_os_error().unwrap_or(Errno::INVAL.raw_os_error()),
            })?;
        Ok(Region {
            backing: Arc::new(Backing::Mapped { fd, map }),
            len,
        })
    }

    pub(crate) fn window(&self) -> Window<'_> {
        // SAFETY: the backing is one mapping or allocation of `len` bytes, writable and initialised (new pages are zeroes),
        // alive while `self` is borrowed; this crate forms no reference to plain bytes in it, and hands out no other way
        // to do so than a raw pointer.
        unsafe { Window::new(self.as_ptr(), self.len) }
    }

    /// How many bytes there are, never zero.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The first byte, aligned to a page (a heap region to 4096 bytes). Valid while the region or a clone of it lives.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        match &*self.backing {
            Backing::Mapped { map, .. } => map.as_mut_ptr(),
            Backing::Heap(block) => block.as_ptr(),
        }
    }

    /// The descriptor to hand to another process; none for a heap region.
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        match &*self.backing {
            Backing::Mapped { fd, .. } => Some(fd.as_fd()),
            Backing::Heap(_) => None,
        }
    }

    /// The word at `offset`. Keep to one width for each word: racing accesses of two widths are undefined.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`], [`ShmError::Misaligned`].
    pub fn atomic_u32(&self, offset: usize) -> Result<&AtomicU32, ShmError> {
        self.window().atomic_u32(offset)
    }

    /// The double word at `offset`; see [`Region::atomic_u32`].
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`], [`ShmError::Misaligned`].
    pub fn atomic_u64(&self, offset: usize) -> Result<&AtomicU64, ShmError> {
        self.window().atomic_u64(offset)
    }

    /// A copy of the value at `offset`, fetched once, at any alignment.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`].
    pub fn read<T: AnyBitPattern>(&self, offset: usize) -> Result<T, ShmError> {
        self.window().read(offset)
    }

    /// Stores a value at `offset`, at any alignment.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`].
    pub fn write<T: NoUninit>(&self, offset: usize, value: &T) -> Result<(), ShmError> {
        self.window().write(offset, value)
    }

    /// Copies `bytes` to `offset`.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`].
    pub fn copy_to(&self, offset: usize, bytes: &[u8]) -> Result<(), ShmError> {
        self.window().copy_to(offset, bytes)
    }

    /// Fills `bytes` from `offset`.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`].
    pub fn copy_from(&self, offset: usize, bytes: &mut [u8]) -> Result<(), ShmError> {
        self.window().copy_from(offset, bytes)
    }

    /// A part of the region, checked once.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`].
    pub fn area(&self, offset: usize, len: usize) -> Result<Area, ShmError> {
        Area::new(self, offset, len)
    }

    /// Empties the whole pages that lie inside the range: they read as zeroes, for everyone who maps them, and on Linux
    /// their memory goes back to the system. Bytes of the range that share a page with bytes outside it are left as they
    /// are. A heap region is zeroed by the same rule, and keeps its memory.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`], [`ShmError::Os`].
    pub fn release_pages(&self, offset: usize, len: usize) -> Result<(), ShmError> {
        self.window().at(offset, len)?;
        let page = self.page();
        // In bounds, so neither sum can overflow: the last page of a mapping ends inside the address space.
        let start = offset.next_multiple_of(page);
        let end = (offset + len) / page * page;
        if start >= end {
            return Ok(());
        }
        let base = self.window().at(start, end - start)?;
        match &*self.backing {
            // SAFETY: start and end are multiples of the page size, and inside the mapping: checked just now.
            Backing::Mapped { .. } => unsafe { object::release(base, end - start) },
            Backing::Heap(_) => {
                // SAFETY: `at` has just checked the bounds; no reference to these bytes exists (rule 1 of `window`).
                unsafe { base.write_bytes(0, end - start) };
                Ok(())
            }
        }
    }

    /// Gets memory for all pages that the range touches, now, with an error if there is none: after this, touching them
    /// cannot end the process. A heap region has that promise from its allocator already. No byte changes.
    ///
    /// # Errors
    /// [`ShmError::OutOfBounds`], [`ShmError::Os`].
    pub fn prefault(&self, offset: usize, len: usize) -> Result<(), ShmError> {
        self.window().at(offset, len)?;
        let Backing::Mapped { fd, .. } = &*self.backing else {
            return Ok(());
        };
        if len == 0 {
            return Ok(());
        }
        let page = self.page();
        let start = offset / page * page;
        let end = (offset + len).next_multiple_of(page);
        let base = self.window().at(start, 0)?;
        // SAFETY: whole pages that each hold a byte of the mapping, hence are mapped; `base` is the address of `start`.
        unsafe { object::prefault(fd.as_fd(), base, start, end - start) }
    }

    /// How much memory the object holds at present, over all who map it. A heap region counts in full.
    ///
    /// # Errors
    /// [`ShmError::Os`].
    pub fn resident_bytes(&self) -> Result<u64, ShmError> {
        match &*self.backing {
            // POSIX leaves the unit open; on the systems that this crate knows it is 512 bytes whatever the block size.
            Backing::Mapped { fd, .. } => Ok(u64::try_from(stat(fd)?.st_blocks).unwrap_or(0) * 512),
            Backing::Heap(_) => Ok(self.len as u64),
        }
    }

    /// The unit in which memory is given back and set aside.
    fn page(&self) -> usize {
        match &*self.backing {
            Backing::Mapped { .. } => page_size(),
            Backing::Heap(_) => crate::heap::ALIGN,
        }
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the bytes: they are others' too.
        f.debug_struct("Region")
            .field("len", &self.len)
            .field("fd", &self.fd())
            .finish()
    }
}

fn stat(fd: &OwnedFd) -> Result<Stat, ShmError> {
    fstat(fd).map_err(ShmError::os("fstat"))
}

/// A length that a mapping, and a pointer's offset, can have.
fn check_len(len: u64) -> Result<usize, ShmError> {
    match usize::try_from(len) {
        Ok(0) => Err(ShmError::Empty),
        // One page below the limit, so that rounding up to pages cannot overflow either.
        Ok(fits) if fits <= isize::MAX as usize - 65_536 => Ok(fits),
        _ => Err(ShmError::TooLarge { len }),
    }
}
