//! The accessors of regions and areas: a base, a length, and every way to touch the bytes between.
//!
//! Guarantees
//! - A checked access stays inside the window, and an atomic word is aligned: else an error, before anything is touched.
//! - What was read is a private copy. The compiler may not go back to the shared bytes for it, so a value that passed a
//!   check is the value that is used.
//!
//! Does not guarantee
//! - That a copy is of one moment. Bytes that somebody writes meanwhile arrive mixed, old and new.
//! - That nobody races. Ordering comes from the atomic words of the protocol above: it must let no two threads of this
//!   process touch the same bytes at once unless both only read (Miri and ThreadSanitizer report it where it does), and
//!   must keep to one width for each atomic word.
//!
//! Two rules, kept by everything here
//! 1. No reference to plain bytes is ever formed, `&[u8]` least of all: another process can write them at any time, and a
//!    reference promises the compiler the opposite. Raw pointers for bytes, `AtomicU32` and `AtomicU64` for words.
//! 2. Values are read and written volatile, once; bulk copies end with a compiler fence. Either forbids a second fetch.

use std::marker::PhantomData;
use std::mem::size_of;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, compiler_fence};

use bytemuck::{AnyBitPattern, NoUninit};

use crate::ShmError;

/// Lets a value lie at any address: the offsets of payloads are not promised to be aligned.
#[repr(C, packed)]
struct Packed<T>(T);

/// `len` bytes from `base`, alive and writable for `'a`.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    base: *mut u8,
    len: usize,
    keeper: PhantomData<&'a ()>,
}

impl<'a> Window<'a> {
    /// # Safety
    ///
    /// For all of `'a`: `len` bytes from `base` are one allocation or one mapping, readable and writable, every byte of
    /// it initialised, and no reference to plain bytes in it exists.
    pub(crate) unsafe fn new(base: *mut u8, len: usize) -> Self {
        Window {
            base,
            len,
            keeper: PhantomData,
        }
    }

    /// The address of `len` bytes at `offset`, if they lie inside.
    pub(crate) fn at(self, offset: usize, len: usize) -> Result<*mut u8, ShmError> {
        match offset.checked_add(len) {
            Some(end) if end <= self.len => {
                // SAFETY: `offset <= end <= self.len`, so the sum stays in (or one past) the window that `new`'s caller vouched for.
                Ok(unsafe { self.base.add(offset) })
            }
            _ => Err(ShmError::OutOfBounds {
                offset,
                len,
                size: self.len,
            }),
        }
    }

    fn word(self, offset: usize, size: usize) -> Result<(), ShmError> {
        let address = self.at(offset, size)?;
        if address.addr() % size == 0 {
            Ok(())
        } else {
            Err(ShmError::Misaligned {
                offset,
                align: size,
            })
        }
    }

    pub(crate) fn atomic_u32(self, offset: usize) -> Result<&'a AtomicU32, ShmError> {
        self.word(offset, size_of::<AtomicU32>())?;
        // SAFETY: `word` has just checked the bounds and the alignment.
        Ok(unsafe { self.atomic_u32_unchecked(offset) })
    }

    pub(crate) fn atomic_u64(self, offset: usize) -> Result<&'a AtomicU64, ShmError> {
        self.word(offset, size_of::<AtomicU64>())?;
        // SAFETY: `word` has just checked the bounds and the alignment.
        Ok(unsafe { self.atomic_u64_unchecked(offset) })
    }

    pub(crate) fn read<T: AnyBitPattern>(self, offset: usize) -> Result<T, ShmError> {
        self.at(offset, size_of::<T>())?;
        // SAFETY: `at` has just checked the bounds.
        Ok(unsafe { self.read_unchecked(offset) })
    }

    pub(crate) fn write<T: NoUninit>(self, offset: usize, value: &T) -> Result<(), ShmError> {
        self.at(offset, size_of::<T>())?;
        // SAFETY: `at` has just checked the bounds.
        unsafe { self.write_unchecked(offset, value) };
        Ok(())
    }

    pub(crate) fn copy_to(self, offset: usize, bytes: &[u8]) -> Result<(), ShmError> {
        self.at(offset, bytes.len())?;
        // SAFETY: `at` has just checked the bounds.
        unsafe { self.copy_to_unchecked(offset, bytes) };
        Ok(())
    }

    pub(crate) fn copy_from(self, offset: usize, bytes: &mut [u8]) -> Result<(), ShmError> {
        self.at(offset, bytes.len())?;
        // SAFETY: `at` has just checked the bounds.
        unsafe { self.copy_from_unchecked(offset, bytes) };
        Ok(())
    }

    /// # Safety
    ///
    /// Four bytes at `offset` lie inside the window and are aligned to four.
    #[inline]
    pub(crate) unsafe fn atomic_u32_unchecked(self, offset: usize) -> &'a AtomicU32 {
        debug_assert!(self.word(offset, size_of::<AtomicU32>()).is_ok());
        // SAFETY: inside the window, as the caller promises.
        let address = unsafe { self.base.add(offset) };
        // SAFETY: aligned, as the caller promises; alive and writable for `'a`, as `new`'s caller promised.
        unsafe { AtomicU32::from_ptr(address.cast()) }
    }

    /// # Safety
    ///
    /// Eight bytes at `offset` lie inside the window and are aligned to eight.
    #[inline]
    pub(crate) unsafe fn atomic_u64_unchecked(self, offset: usize) -> &'a AtomicU64 {
        debug_assert!(self.word(offset, size_of::<AtomicU64>()).is_ok());
        // SAFETY: inside the window, as the caller promises.
        let address = unsafe { self.base.add(offset) };
        // SAFETY: aligned, as the caller promises; alive and writable for `'a`, as `new`'s caller promised.
        unsafe { AtomicU64::from_ptr(address.cast()) }
    }

    /// # Safety
    ///
    /// `size_of::<T>()` bytes at `offset` lie inside the window.
    #[inline]
    pub(crate) unsafe fn read_unchecked<T: AnyBitPattern>(self, offset: usize) -> T {
        debug_assert!(self.at(offset, size_of::<T>()).is_ok());
        // SAFETY: inside the window, as the caller promises.
        let address = unsafe { self.base.add(offset) };
        // SAFETY: in bounds as the caller promises, at any alignment because packed, and any bits make a `T`.
        // Volatile, so that the check and the use of the result cannot become two fetches.
        let Packed(value) = unsafe { address.cast::<Packed<T>>().read_volatile() };
        value
    }

    /// # Safety
    ///
    /// `size_of::<T>()` bytes at `offset` lie inside the window.
    #[inline]
    pub(crate) unsafe fn write_unchecked<T: NoUninit>(self, offset: usize, value: &T) {
        debug_assert!(self.at(offset, size_of::<T>()).is_ok());
        // SAFETY: inside the window, as the caller promises.
        let address = unsafe { self.base.add(offset) };
        // SAFETY: in bounds as the caller promises, at any alignment because packed; `NoUninit` leaves no byte of the
        // window uninitialised. Volatile, so that the store can be neither dropped nor doubled.
        unsafe {
            address.cast::<Packed<T>>().write_volatile(Packed(*value));
        }
    }

    /// # Safety
    ///
    /// `bytes.len()` bytes at `offset` lie inside the window.
    #[inline]
    pub(crate) unsafe fn copy_to_unchecked(self, offset: usize, bytes: &[u8]) {
        debug_assert!(self.at(offset, bytes.len()).is_ok());
        // SAFETY: inside the window, as the caller promises.
        let address = unsafe { self.base.add(offset) };
        // SAFETY: in bounds as the caller promises; `bytes` is a slice, and slices over the window are never formed, so
        // the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), address, bytes.len()) };
    }

    /// # Safety
    ///
    /// `bytes.len()` bytes at `offset` lie inside the window.
    #[inline]
    pub(crate) unsafe fn copy_from_unchecked(self, offset: usize, bytes: &mut [u8]) {
        debug_assert!(self.at(offset, bytes.len()).is_ok());
        // SAFETY: inside the window, as the caller promises.
        let address = unsafe { self.base.add(offset) };
        // SAFETY: in bounds as the caller promises; `bytes` is a slice, and slices over the window are never formed, so
        // the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(address, bytes.as_mut_ptr(), bytes.len()) };
        // No instruction: it has no partner, it only forbids the compiler to serve a later use of `bytes` from the
        // shared memory again, where a peer may have changed it since it was checked.
        compiler_fence(Ordering::SeqCst);
    }
}
