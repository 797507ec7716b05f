//! [`Words`]: private memory of a binding, which a program on the other side of a language border and Rust use in turns.
//!
//! Control blocks and submission buffers are such memory: the program gets the address once and writes there between its calls, Rust reads
//! and writes there during them. No other process sees it, and no word in it is shared between threads.
//!
//! Guarantees: the address never changes, the contents start as zeroes and are aligned to 8 bytes, and the memory stays until the last
//! reference is dropped, on whichever thread. What it does not: that the two sides really take turns. That is the duty of whoever
//! makes a slice of it.

use std::cell::UnsafeCell;
use std::ptr;
use std::sync::Arc;

/// Private memory of one thread, written by its program and by Rust in turns: Rust touches it only inside a native call, during which
/// that program stands still.
pub struct Words(Box<[UnsafeCell<u64>]>);

// SAFETY: program and Rust of one thread take turns; whoever drops the last reference, perhaps on another thread, only frees.
unsafe impl Send for Words {}
// SAFETY: as above: no two threads ever access the contents.
unsafe impl Sync for Words {}

#[expect(clippy::len_without_is_empty, reason = "it has 8 bytes at least")]
impl Words {
    /// At least so many zeroed bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self(
            (0..bytes.div_ceil(8).max(1))
                .map(|_| UnsafeCell::new(0))
                .collect(),
        ))
    }

    /// Its bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len() * 8
    }

    /// Its address.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        UnsafeCell::raw_get(self.0.as_ptr()).cast()
    }

    /// The first `len` bytes; fewer if there are fewer.
    ///
    /// # Safety
    /// The caller is in a native call on the thread whose program writes this memory, and lets go of the slice before it returns.
    #[must_use]
    pub unsafe fn bytes(&self, len: usize) -> &[u8] {
        // SAFETY: in bounds by `min`, initialised, and nobody writes meanwhile, as the caller promises.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), len.min(self.len())) }
    }

    /// All of it as 32-bit words.
    ///
    /// # Safety
    /// As [`Words::bytes`], and no other slice of this memory exists.
    #[expect(
        clippy::mut_from_ref,
        reason = "the contents are in cells; the caller promises that no other slice exists"
    )]
    #[must_use]
    pub unsafe fn words(&self) -> &mut [u32] {
        // SAFETY: in bounds, aligned to 8, initialised; exclusive as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr().cast(), self.len() / 4) }
    }

    /// All of it as 64-bit floating-point numbers.
    ///
    /// # Safety
    /// As [`Words::words`].
    #[expect(clippy::mut_from_ref, reason = "as for `words`")]
    #[must_use]
    pub unsafe fn numbers(&self) -> &mut [f64] {
        // SAFETY: in bounds, aligned to 8, and every pattern is a number; exclusive as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr().cast(), self.len() / 8) }
    }

    /// Copies what fits of `other`, which is not the same memory, into this.
    ///
    /// # Safety
    /// As [`Words::bytes`], for both.
    pub unsafe fn copy_from(&self, other: &Self) {
        let len = self.len().min(other.len());
        // SAFETY: both have `len` bytes; `copy` allows that they are the same.
        unsafe { ptr::copy(other.as_ptr(), self.as_ptr(), len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_writes_the_other_reads() {
        let words = Words::new(9);
        assert_eq!(words.len(), 16);
        // SAFETY: one thread, and no other slice is alive.
        let written = unsafe { words.words() };
        written.copy_from_slice(&[1, 2, 3, 4]);
        let larger = Words::new(24);
        // SAFETY: one thread, and no slice is used any more.
        unsafe { larger.copy_from(&words) };
        // SAFETY: as above.
        let bytes = unsafe { larger.bytes(100) };
        assert_eq!(bytes.len(), 24);
        assert_eq!(bytes[..5], [1, 0, 0, 0, 2]);
        assert_eq!(bytes[16..], [0; 8]);
        // SAFETY: as above.
        assert_eq!(unsafe { words.bytes(3) }, [1, 0, 0]);
    }

    #[test]
    fn a_number_written_is_the_number_read() {
        let words = Words::new(16);
        // SAFETY: one thread, and no other slice is alive.
        let numbers = unsafe { words.numbers() };
        numbers[1] = 0.5;
        // SAFETY: the first one is not used any more.
        assert_eq!(unsafe { words.numbers() }, [0.0, 0.5]);
    }
}
