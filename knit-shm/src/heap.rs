//! The private backing: zeroed memory of the allocator, freed when the owner drops.
//!
//! For Miri, which knows no shared mappings, and for whoever wants a region that no other process joins. It cannot be
//! sparse by promise (large blocks usually are, as the allocator maps them), and cannot give pages back.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// So that offsets have the alignment that they have in a mapping.
pub(crate) const ALIGN: usize = 4096;

pub(crate) struct HeapBlock {
    base: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the block is owned by this value alone, and the allocator lets any thread free it.
unsafe impl Send for HeapBlock {}
// SAFETY: the fields never change; what happens to the bytes is governed by `window`.
unsafe impl Sync for HeapBlock {}

impl HeapBlock {
    /// # Panics
    ///
    /// If `len` is zero or does not fit in an address space.
    pub(crate) fn new(len: usize) -> HeapBlock {
        assert!(len > 0, "a heap region needs at least one byte");
        let layout = Layout::from_size_align(len, ALIGN)
            .expect("a heap region has to fit in the address space");
        // SAFETY: the size is not zero: asserted above.
        let base = unsafe { alloc_zeroed(layout) };
        match NonNull::new(base) {
            Some(base) => HeapBlock { base, layout },
            None => handle_alloc_error(layout),
        }
    }

    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.base.as_ptr()
    }
}

impl Drop for HeapBlock {
    fn drop(&mut self) {
        // SAFETY: `new` got this block with this layout, and only `drop` frees it, once.
        unsafe { dealloc(self.base.as_ptr(), self.layout) };
    }
}
